import { type ReadonlySignal, signal } from '@preact/signals';
import type { ConnectionState } from '../client/state.ts';
import type { Job } from '../protocol/job.ts';
import { ClockOffset } from './clock-offset.ts';

/** The most latencies that are kept and plotted. */
const KEPT = 120;

/** What the connection panel shows. Latencies in milliseconds from commit to arrival, oldest first. */
export interface TrafficFigures {
  /** States that were pushed as they were committed; one that was listed or caught up on is none. */
  readonly frames: number;
  readonly reconnects: number;
  readonly latencies: readonly number[];
  /** How far this device's clock is taken to be ahead of the server's, in milliseconds. */
  readonly offset: number;
  /** Whether a request has compared the clocks; without, only a clock that is behind can be noticed. */
  readonly checked: boolean;
}

/**
 * Counts and measures only what says something of the connection: states that were committed after it had become
 * live. What is caught up on afterwards was late for another reason.
 */
export class Traffic {
  readonly clock = new ClockOffset();
  readonly #raw: number[] = [];
  readonly #figures = signal<TrafficFigures>({
    frames: 0,
    reconnects: 0,
    latencies: [],
    offset: 0,
    checked: false,
  });
  #frames = 0;
  #reconnects = 0;
  #liveSince: number | undefined;
  #wasLive = false;

  /** The figures as of the last `publish`. */
  get figures(): ReadonlySignal<TrafficFigures> {
    return this.#figures;
  }

  /** A state came. */
  arrived(job: Job, now: number): void {
    const committed = Date.parse(job.updatedAt);
    if (this.#liveSince === undefined || committed < this.#liveSince - this.clock.value) return;
    this.#frames += 1;
    this.clock.observeArrival(committed, now);
    this.#raw.push(now - committed);
    if (this.#raw.length > KEPT) this.#raw.shift();
  }

  /** The connection says another thing of itself. */
  changed(state: ConnectionState, now: number): void {
    if (state.status !== 'live') {
      this.#liveSince = undefined;
      return;
    }
    if (this.#liveSince !== undefined) return;
    this.#liveSince = now;
    if (this.#wasLive) this.#reconnects += 1;
    this.#wasLive = true;
  }

  /** Shows what has been counted. */
  publish(): void {
    const offset = this.clock.value;
    this.#figures.value = {
      frames: this.#frames,
      reconnects: this.#reconnects,
      latencies: this.#raw.map((raw) => Math.max(0, raw - offset)),
      offset,
      checked: this.clock.checked,
    };
  }
}

/** The value that `share` (0 to 1) of the values do not exceed; undefined for none. */
export function quantile(values: readonly number[], share: number): number | undefined {
  const sorted = values.toSorted((one, other) => one - other);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)];
}
