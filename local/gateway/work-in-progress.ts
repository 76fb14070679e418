import { setTimeout } from 'node:timers/promises';

/** What is under way, so that a part can end after it rather than in the middle of it. */
export class WorkInProgress {
  readonly #log: (line: string) => void;
  readonly #work = new Set<Promise<void>>();
  #open = 0;
  #noneOpen: (() => void) | undefined;

  constructor(log: (line: string) => void) {
    this.#log = log;
  }

  /** Keeps `work` until it ends. It should not reject; if it does, that is logged and nothing else is lost. */
  track(work: Promise<void>): void {
    const tracked = work
      .catch((error: unknown) => this.#log(`Unexpected: ${String(error)}`))
      .finally(() => this.#work.delete(tracked));
    this.#work.add(tracked);
  }

  /** Notes something that lasts, such as a connection, at the cost of a number; `closed` must follow. */
  opened(): void {
    this.#open += 1;
  }

  /** Notes the end of what was `opened`. */
  closed(): void {
    this.#open -= 1;
    if (this.#open === 0) this.#noneOpen?.();
  }

  /** Resolves once nothing is under way or open, or after `graceMs` milliseconds, which it logs. */
  async settle(graceMs: number): Promise<void> {
    const grace = new AbortController();
    // Rejects only when it is aborted below, and then nobody waits for it.
    const elapsed = setTimeout(graceMs, 'elapsed', { signal: grace.signal }).catch(() => 'elapsed');
    const noneOpen = new Promise<void>((resolve) => {
      this.#noneOpen = resolve;
    });
    while (this.#work.size + this.#open > 0) {
      const ended = Promise.all(this.#open > 0 ? [noneOpen, ...this.#work] : this.#work);
      if ((await Promise.race([ended, elapsed])) === 'elapsed') {
        const left = this.#work.size + this.#open;
        this.#log(`Stopped without waiting for ${left} functions that still run`);
        break;
      }
    }
    grace.abort();
  }
}
