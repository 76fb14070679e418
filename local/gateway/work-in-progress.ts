import { setTimeout } from 'node:timers/promises';

/** What is under way, so that a part can end after it rather than in the middle of it. */
export class WorkInProgress {
  readonly #log: (line: string) => void;
  readonly #work = new Set<Promise<void>>();

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

  /** Resolves once nothing is under way, or after `graceMs` milliseconds, which it logs. */
  async settle(graceMs: number): Promise<void> {
    const grace = new AbortController();
    // Rejects only when it is aborted below, and then nobody waits for it.
    const elapsed = setTimeout(graceMs, 'elapsed', { signal: grace.signal }).catch(() => 'elapsed');
    while (this.#work.size > 0) {
      const first = await Promise.race([Promise.all(this.#work), elapsed]);
      if (first === 'elapsed') {
        this.#log(`Stopped without waiting for ${this.#work.size} functions that still run`);
        break;
      }
    }
    grace.abort();
  }
}
