/** While the page is hidden no animation frames come; its title and its records still follow, a little later. */
const HIDDEN_FLUSH_MS = 250;

/**
 * Holds what arrives until the next animation frame and hands it over at once, so that a burst of thousands of
 * states costs one drawing a frame instead of one a state.
 */
export class Arrivals {
  readonly #flush: () => void;
  #due = false;

  /** @param flush called once for all that `note` has announced since the last time. */
  constructor(flush: () => void) {
    this.#flush = flush;
  }

  /** Something has arrived that should show soon. */
  note(): void {
    if (this.#due) return;
    this.#due = true;
    const run = () => {
      if (!this.#due) return;
      this.#due = false;
      this.#flush();
    };
    if (document.visibilityState === 'visible') requestAnimationFrame(run);
    // Also where a frame is expected: a page that is hidden in this moment gets none until it is looked at again.
    setTimeout(run, HIDDEN_FLUSH_MS);
  }
}
