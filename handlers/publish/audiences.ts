import type { Log, Meter, Subscriptions, SubscriptionTopic, WatcherPage } from '../ports.ts';

/** What `Audiences` needs. */
export interface AudiencesParts {
  readonly subscriptions: Pick<Subscriptions, 'watchers'>;
  readonly portion: number;
  readonly now: () => Date;
  readonly log: Log;
  readonly meter: Meter;
}

/**
 * Who watches topics, during one batch: of each the first page. Owners and tags are shared by many jobs and read
 * once: every change of the batch was committed before the batch came, so a row that is written after the reading
 * belongs to a subscriber who sees those changes in the answer to `subscribe`.
 */
export class Audiences {
  readonly #parts: AudiencesParts;
  readonly #now: string;
  readonly #shared = new Map<SubscriptionTopic, Promise<WatcherPage>>();

  constructor(parts: AudiencesParts) {
    this.#parts = parts;
    this.#now = parts.now().toISOString();
  }

  /** With `next`, the audience is large. @throws UnavailableError. */
  read(topic: SubscriptionTopic): Promise<WatcherPage> {
    if (topic.startsWith('job:')) return this.#read(topic);
    const reading = this.#shared.get(topic) ?? this.#read(topic);
    this.#shared.set(topic, reading);
    return reading;
  }

  async #read(topic: SubscriptionTopic): Promise<WatcherPage> {
    const { subscriptions, portion } = this.#parts;
    // One more, because a page that is full says that rows may follow, whether they do or not.
    const page = await subscriptions.watchers(topic, { range: {}, limit: portion + 1, now: this.#now });
    reportMalformed(topic, page, this.#parts);
    return page;
  }
}

/** Says what a page has left out. */
export function reportMalformed(
  topic: SubscriptionTopic,
  { malformed }: WatcherPage,
  { log, meter }: Pick<AudiencesParts, 'log' | 'meter'>,
): void {
  if (malformed === undefined) return;
  meter.count('MalformedSubscriptions', malformed);
  log.error('subscriptions of a topic are malformed, and left out', { topic, malformed });
}
