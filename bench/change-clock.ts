import { InvariantError } from './measure.ts';

/** How long after the last commit everything must have arrived, in milliseconds. */
const ARRIVAL_LIMIT_MS = 15_000;

/** When the changes of one job were made and when somebody heard of them. */
export class ChangeClock {
  readonly #sentAt = new Map<number, number>();
  readonly #latencies: number[] = [];
  #newest = 0;
  #arrived: (() => void) | undefined;

  /** Milliseconds from each change to the first word of it or of a newer one. */
  get latencies(): readonly number[] {
    return this.#latencies;
  }

  /** Change number `change` is about to be sent; the numbers ascend. */
  sent(change: number): void {
    this.#sentAt.set(change, performance.now());
  }

  /** Somebody hears of `change`. Answers whether it was news. */
  heard(change: number): boolean {
    const at = performance.now();
    const news = change > this.#newest;
    this.#newest = Math.max(this.#newest, change);
    for (const [sent, sentAt] of this.#sentAt) {
      if (sent > change) break;
      this.#latencies.push(at - sentAt);
      this.#sentAt.delete(sent);
    }
    if (this.#sentAt.size === 0) this.#arrived?.();
    return news;
  }

  /**
   * Resolves once every change has been heard of.
   * @throws InvariantError when one is not, within fifteen seconds
   */
  async allHeard(): Promise<void> {
    if (this.#sentAt.size === 0) return;
    await new Promise<void>((resolve, reject) => {
      const limit = setTimeout(() => {
        const lost = `${this.#sentAt.size} changes did not arrive within ${ARRIVAL_LIMIT_MS} ms`;
        reject(new InvariantError(lost));
      }, ARRIVAL_LIMIT_MS);
      this.#arrived = () => {
        clearTimeout(limit);
        resolve();
      };
    });
  }
}
