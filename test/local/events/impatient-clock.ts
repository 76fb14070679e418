import type { Clock, Timer } from '../../../local/clock.ts';

/**
 * A clock for code that waits by itself: as soon as the event loop is idle, time jumps to the next callback.
 * Retries of minutes pass in a moment, in the right order.
 */
export class ImpatientClock implements Clock {
  #now = Date.UTC(2026, 10, 23, 12, 0, 0);
  readonly #pending = new Set<{ readonly dueAt: number; readonly callback: () => void }>();
  #jumping = false;

  now(): number {
    return this.#now;
  }

  schedule(delayMs: number, callback: () => void): Timer {
    const entry = { dueAt: this.#now + delayMs, callback };
    this.#pending.add(entry);
    this.#jump();
    return { cancel: () => void this.#pending.delete(entry) };
  }

  #jump(): void {
    if (this.#jumping) return;
    this.#jumping = true;
    setImmediate(() => {
      this.#jumping = false;
      const [next] = [...this.#pending].sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined) return;
      this.#pending.delete(next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
      this.#jump();
    });
  }
}
