import { UnavailableError } from '../errors.ts';
import type { AudienceRange, JobRecord, Jobs, Log, Watcher } from '../ports.ts';
import { type FramePoster, frameOf } from './post-frame.ts';
import type { PostPace } from './post-pace.ts';
import { PostTally } from './post-tally.ts';

/** What `RangePosting` needs. */
export interface RangePostingParts {
  readonly jobs: Pick<Jobs, 'read'>;
  readonly pace: PostPace;
  readonly poster: FramePoster;
  /** The most posts under way at a time. */
  readonly concurrency: number;
  readonly now: () => Date;
  readonly log: Log;
}

/**
 * Why posting ended: `done` all of it, or there is nothing to tell; `failing` because API Gateway throttles, or is not
 * reachable; `late` because the function ends; `unread` because the job could not be read.
 */
export type RangeEnd = 'done' | 'failing' | 'late' | 'unread';

/** What became of a range. */
export interface RangeOutcome {
  readonly end: RangeEnd;
  readonly posted: number;
  /** Those whose post failed by itself. */
  readonly owed: readonly {
    readonly watcher: Watcher;
    readonly outcome: 'later' | 'connecting' | 'throttled';
  }[];
  /** How many of the watchers were not tried, and the last one that was; undefined where none was. */
  readonly untried: number;
  readonly lastTried: string | undefined;
}

/** The state of the job is read again after so many milliseconds, so that no watcher is sent one that is older. */
const FRESH_MILLISECONDS = 1_000;

/** So many posts of a range must have failed before it stops. */
export const FAILED_POSTS = 5;

/**
 * Posts the newest state of a job to the watchers of one range, in their order and at the pace of this execution
 * environment. Stops where too many posts fail; where few do, those connections alone are owed the frame.
 */
export class RangePosting {
  readonly #job: string;
  readonly #parts: RangePostingParts;
  readonly #owed: RangeOutcome['owed'][number][] = [];
  #frame: string | undefined;
  #readAt = Number.NEGATIVE_INFINITY;
  #end: RangeEnd | undefined;
  #active = 0;
  #resume: (() => void) | undefined;
  readonly #tally = new PostTally(FAILED_POSTS);
  #posted = 0;

  constructor(job: string, parts: RangePostingParts) {
    this.#job = job;
    this.#parts = parts;
  }

  /** @throws MalformedDataError where the job's item is none of ours. */
  async run(watchers: readonly Watcher[]): Promise<RangeOutcome> {
    const { pace, concurrency } = this.#parts;
    let tried = 0;
    try {
      for (const watcher of watchers) {
        const place = pace.take();
        if (place !== undefined) await place;
        if (this.#active >= concurrency) await this.#change();
        if (this.#end === undefined && this.#isStale()) await this.#read();
        if (this.#end !== undefined || this.#frame === undefined) break;
        tried += 1;
        void this.#post(watcher, this.#frame); // answers, and never throws, see FramePoster
      }
    } finally {
      while (this.#active > 0) await this.#change();
    }
    const end = this.#end ?? 'done';
    return {
      end,
      posted: this.#posted,
      owed: this.#owed,
      untried: watchers.length - tried,
      lastTried: watchers[tried - 1]?.connection,
    };
  }

  async #post(watcher: Watcher, frame: string): Promise<void> {
    this.#active += 1;
    const outcome = await this.#parts.poster.post(watcher, frame);
    this.#active -= 1;
    this.#tally.count(outcome);
    if (outcome === 'posted') this.#posted += 1;
    else if (outcome === 'late') this.#end ??= 'late';
    if (outcome !== 'posted' && outcome !== 'gone') {
      this.#owed.push({ watcher, outcome: outcome === 'late' ? 'later' : outcome });
    }
    if (this.#tally.isFailing) this.#end ??= 'failing';
    this.#resume?.();
  }

  #isStale(): boolean {
    return this.#parts.now().getTime() - this.#readAt >= FRESH_MILLISECONDS;
  }

  async #read(): Promise<void> {
    const at = this.#parts.now().getTime();
    try {
      const record: JobRecord | undefined = await this.#parts.jobs.read(this.#job);
      // A job that is gone has nothing to tell.
      if (record === undefined) this.#end = 'done';
      else this.#frame = frameOf(record, this.#parts.log);
      if (this.#frame === undefined) this.#end ??= 'done';
      this.#readAt = at;
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      this.#parts.log.warn('the job of a broadcast could not be read now', { job: this.#job, error });
      this.#end = 'unread';
    }
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#resume = resolve;
    });
    this.#resume = undefined;
  }
}

/** What of a range is left behind the last connection that was tried. */
export function restOf(
  range: AudienceRange,
  lastTried: string | undefined,
  until: string | undefined,
): AudienceRange {
  const after = lastTried ?? range.after;
  return {
    ...(after === undefined ? {} : { after }),
    ...(until === undefined ? {} : { until }),
  };
}
