/** What `PostPace` needs. */
export interface PostPaceSettings {
  /** The most posts a second; what this execution environment may use of the account's limit. */
  readonly perSecond: number;
  /** Milliseconds, of any beginning. */
  readonly now: () => number;
  readonly pause: (milliseconds: number) => Promise<void>;
}

/** What was not used for so long may be made good in one go, in milliseconds: the clock of a process is that coarse. */
const BURST_MILLISECONDS = 20;

/** The slowest pace, as a part of the full one: a range of a thousand posts still ends within a function's time. */
const SLOWEST = 1 / 16;

/** What the pace regains, as a part of the full one, with each range that nobody throttled. */
const RECOVERY = 1 / 8;

/**
 * Spreads the posts of one execution environment evenly over time, and keeps its pace from one invocation to the
 * next. As many environments as may run divide the account's share, so their sum stays below it without a word
 * between them. Throttling halves the pace, and each range without adds an eighth: what many do by themselves
 * settles that way (https://datatracker.ietf.org/doc/html/rfc5681, "additive increase, multiplicative decrease").
 */
export class PostPace {
  readonly #settings: PostPaceSettings;
  #part = 1;
  #next = 0;

  constructor(settings: PostPaceSettings) {
    this.#settings = settings;
  }

  /** Posts a second, as of now. */
  get perSecond(): number {
    return this.#settings.perSecond * this.#part;
  }

  /** Takes the next place; undefined where that is now, else what to wait for. */
  take(): Promise<void> | undefined {
    const now = this.#settings.now();
    const place = Math.max(this.#next, now - BURST_MILLISECONDS);
    this.#next = place + 1000 / this.perSecond;
    return place <= now ? undefined : this.#settings.pause(place - now);
  }

  /** API Gateway throttles. */
  slowDown(): void {
    this.#part = Math.max(SLOWEST, this.#part / 2);
  }

  /** A range went through. */
  recover(): void {
    this.#part = Math.min(1, this.#part + RECOVERY);
  }
}
