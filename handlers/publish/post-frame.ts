import { FrameError, jobFrame, serializeFrame } from '../../protocol/frames.ts';
import { ConnectionGoneError, RefusedError, UnavailableError } from '../errors.ts';
import type { Connections, JobRecord, Log, Meter, Subscriptions, Watcher } from '../ports.ts';

/** What `FramePoster` needs. */
export interface FramePosterParts {
  readonly connections: Connections;
  readonly subscriptions: Subscriptions;
  readonly now: () => Date;
  readonly log: Log;
  readonly meter: Meter;
}

/**
 * `gone`: nobody is there any more. `connecting`: not there yet. `later`: it must be tried again. `throttled`: that as
 * well, because API Gateway is asked too much. `late`: that as well, because the function ends.
 */
export type PostOutcome = 'posted' | 'gone' | 'connecting' | 'later' | 'throttled' | 'late';

/**
 * So long before the function's own end nothing is posted any more: where posts hang, each for three seconds, or four
 * where a socket has to be opened (post-socket.ts), the time is needed to hand on what is owed. Milliseconds.
 */
const STOP_BEFORE_END = 10_000;

/** Posts frames during one batch; remembers which connections have proved to be gone. */
export class FramePoster {
  readonly #parts: FramePosterParts;
  readonly #stopsAt: number;
  readonly #gone = new Set<string>();
  #refusals = 0;

  /** `endsAt` is when Lambda stops the function, in milliseconds since the epoch. */
  constructor(parts: FramePosterParts, endsAt: number) {
    this.#parts = parts;
    this.#stopsAt = endsAt - STOP_BEFORE_END;
  }

  /**
   * Posts one frame. Never throws: whatever is wrong with one connection must not touch the others.
   *
   * A refusal (RefusedError) is `later` as well. It is either a missing grant, and then failing the batch would
   * post everything again to those who can be reached, and lose it all once the retries are over; or it is about
   * this connection alone. Either way the delivery keeps trying, and the figure `PostsRefused` rings.
   */
  async post(watcher: Watcher, frame: string): Promise<PostOutcome> {
    const { connections, now, log, meter } = this.#parts;
    const { connection } = watcher;
    if (this.#gone.has(connection)) return 'gone';
    if (now().getTime() >= this.#stopsAt) return 'late';
    try {
      await connections.post(connection, frame);
      return 'posted';
    } catch (error) {
      if (error instanceof ConnectionGoneError)
        return isConnecting(watcher, now()) ? 'connecting' : this.#remove(connection);
      if (error instanceof UnavailableError) return error.throttled ? 'throttled' : 'later';
      this.#refusals += 1;
      meter.count('PostsRefused', 1);
      if (this.#refusals === 1) {
        const why = error instanceof RefusedError ? 'refused' : 'failed unforeseen';
        log.error(`a post to a connection was ${why}; others of this batch are only counted`, {
          connection,
          error,
        });
      }
      return 'later';
    }
  }

  async #remove(connection: string): Promise<'gone'> {
    const { subscriptions, log, meter } = this.#parts;
    if (this.#gone.has(connection)) return 'gone';
    this.#gone.add(connection);
    meter.count('ConnectionsGone', 1);
    try {
      await subscriptions.removeConnection(connection);
    } catch (error) {
      // The rows stay until the next post finds the connection gone again, or until they expire.
      log.warn('the rows of a connection that is gone could not be removed now', { connection, error });
    }
    return 'gone';
  }
}

/** The frame of a job's state; undefined, and an error in the log, where a stored job is too large for one. */
export function frameOf({ job }: JobRecord, log: Log): string | undefined {
  try {
    return serializeFrame(jobFrame(job));
  } catch (error) {
    if (!(error instanceof FrameError)) throw error;
    log.error('a job is too large for a frame', { job: job.id, error });
    return undefined;
  }
}

/** Whether a 410 may only mean that the connection is not there yet; see `Subscription.connectingUntil`. */
export function isConnecting({ connectingUntil }: Watcher, now: Date): boolean {
  return connectingUntil !== undefined && Date.parse(connectingUntil) > now.getTime();
}
