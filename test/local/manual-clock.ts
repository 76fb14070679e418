import type { Clock, Timer } from '../../local/clock.ts';

interface PendingCallback {
  readonly dueAt: number;
  readonly order: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it, so that two hours pass in a moment. */
export class ManualClock implements Clock {
  #now: number;
  #scheduled = 0;
  readonly #pending = new Set<PendingCallback>();

  /** `now` is the first reading, in milliseconds since the epoch. */
  constructor(now = Date.UTC(2026, 10, 23, 12, 0, 0)) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    this.#scheduled += 1;
    const entry = { dueAt: this.#now + Math.max(0, delayMs), order: this.#scheduled, callback };
    this.#pending.add(entry);
    return { cancel: () => void this.#pending.delete(entry) };
  }

  /** How many callbacks wait. Zero after a clean `close()` of whatever was given this clock. */
  get pending(): number {
    return this.#pending.size;
  }

  /**
   * Moves time forward by `ms`, running what falls due in order of time, each at its own moment. What a
   * callback schedules within the span runs too.
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (let next = this.#nextUntil(end); next !== undefined; next = this.#nextUntil(end)) {
      this.#pending.delete(next);
      this.#now = next.dueAt;
      next.callback();
    }
    this.#now = end;
  }

  #nextUntil(end: number): PendingCallback | undefined {
    let next: PendingCallback | undefined;
    for (const entry of this.#pending) {
      if (entry.dueAt > end) continue;
      if (next === undefined || entry.dueAt < next.dueAt) next = entry;
      else if (entry.dueAt === next.dueAt && entry.order < next.order) next = entry;
    }
    return next;
  }
}
