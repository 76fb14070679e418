import type { Clock, Timer } from '../../client/clock.ts';

interface Scheduled {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** A clock that stands still until a test moves it. */
export class ManualClock implements Clock {
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);
  readonly #scheduled = new Set<Scheduled>();

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry = { dueAt: this.#now + Math.max(0, delayMs), callback };
    this.#scheduled.add(entry);
    return { cancel: () => void this.#scheduled.delete(entry) };
  }

  /** How many callbacks wait. */
  get pending(): number {
    return this.#scheduled.size;
  }

  /** When the next callback is due, in milliseconds from now. */
  get nextInMs(): number | undefined {
    const due = [...this.#scheduled].map((entry) => entry.dueAt - this.#now);
    return due.length === 0 ? undefined : Math.min(...due);
  }

  /** Moves time forward, running what falls due in order of time. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = [...this.#scheduled].filter((entry) => entry.dueAt <= end);
      const next = due.sort((one, other) => one.dueAt - other.dueAt)[0];
      if (next === undefined) break;
      this.#scheduled.delete(next);
      this.#now = Math.max(this.#now, next.dueAt); // what a sleep has made late stays late
      next.callback();
    }
    this.#now = end;
  }

  /** Time goes by while no timer runs, as when a laptop sleeps. */
  sleep(ms: number): void {
    this.#now += ms;
  }
}
