/**
 * What bundles hold in place of `@smithy/core/event-streams` (infrastructure/bundles.ts). Requests whose answers are
 * streams of events (S3's SelectObjectContent) are none of ours, but the SDK imports their reader in a way that keeps
 * half of its core from being shaken off.
 */

/** A client asks for one when it is made, and uses it for streams of events alone. */
export function eventStreamSerdeProvider(): undefined {
  return undefined;
}

/** Adds what a client needs for streams of events: nothing. */
export function resolveEventStreamSerdeConfig<Config>(config: Config): Config {
  return config;
}

/** Reads streams of events: not here. */
export class EventStreamSerde {
  constructor() {
    throw new TypeError(
      'The bundles of functions cannot read streams of events: see infrastructure/bundles.ts',
    );
  }
}
