/** While the page is hidden no animation frames come; its title and its records still follow, a little later. */
const HIDDEN_FLUSH_MS = 250;

/** How a page is told when it is drawn next. */
export interface Frames {
  /** Calls back before the next drawing; undefined where none is to come. */
  request(run: () => void): number | undefined;
  /** Does not call back any more. */
  cancel(frame: number): void;
}

/**
 * Holds what arrives until the next animation frame and hands it over at once, so that a burst of thousands of
 * states costs one drawing a frame instead of one a state.
 */
export class Arrivals {
  readonly #frames: Frames;
  readonly #flush: () => void;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #frame: number | undefined;

  /** @param flush called once for all that `note` has announced since the last time. */
  constructor(frames: Frames, flush: () => void) {
    this.#frames = frames;
    this.#flush = flush;
  }

  /** Something has arrived that should show soon. */
  note(): void {
    if (this.#timer !== undefined) return;
    const run = () => this.#run();
    // Also where a frame is expected: a page that is hidden in this moment gets none until it is looked at again.
    this.#timer = setTimeout(run, HIDDEN_FLUSH_MS);
    this.#frame = this.#frames.request(run);
  }

  #run(): void {
    // The one that came too late must not answer for what arrives next: that would draw twice a frame.
    clearTimeout(this.#timer);
    if (this.#frame !== undefined) this.#frames.cancel(this.#frame);
    this.#timer = undefined;
    this.#frame = undefined;
    this.#flush();
  }
}
