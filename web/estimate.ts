import type { Job } from '../protocol/job.ts';

/** How long the present phase will still take, or that nobody can tell yet. Milliseconds. */
export type Estimate = { readonly known: false } | { readonly known: true; readonly remainingMs: number };

interface Sample {
  /** When the state was committed, by the server's clock: frames that come late or together do not bend the rate. */
  readonly at: number;
  /** When it came here, by this device's clock: from then on the rest is counted down. */
  readonly arrivedAt: number;
  /** 0 to 1, of the present phase. */
  readonly done: number;
}

const UNKNOWN: Estimate = { known: false };

/** The rate is that of the last minute: a file that gets slower is estimated as slow as it has become. */
const WINDOW_MS = 60_000;
/** What comes faster is thinned out: a burst of thousands of reports is no better ground than one each quarter second. */
const LEAST_PAUSE_MS = 250;
/** Less than this many reports, this much time or this much of the work is no ground for a forecast. */
const LEAST_SAMPLES = 4;
const LEAST_SPAN_MS = 3_000;
const LEAST_ADVANCE = 0.01;
/** Where one half of the window went so many times faster than the other there is no rate to speak of. */
const MOST_UNEVEN = 3;
/** After so long without a report the last rate no longer holds; or after so many usual pauses, if longer. */
const SILENCE_MS = 10_000;
const SILENT_PAUSES = 4;

/**
 * Estimates when the present phase (the upload, or the work) ends, from the states of one job. It says "unknown"
 * until it has grounds: at least four reports over three seconds that moved at least one percent, at a rate that did
 * not change threefold between the halves of the last minute, and no silence since. A job that is stalled, waits
 * in the queue or tells no progress has no estimate. Each phase starts anew: how fast a file is sent says nothing
 * of how fast it is processed.
 */
export class Estimator {
  #phase = '';
  #stalled = false;
  #samples: Sample[] = [];

  /** Takes each state, in order. */
  add(job: Job, arrivedAt: number): void {
    const phase = `${job.epoch} ${job.status}`;
    if (phase !== this.#phase) this.#samples = [];
    this.#phase = phase;
    this.#stalled = job.stalled;
    const done = doneOf(job);
    const last = this.#samples.at(-1);
    if (done === undefined || (last !== undefined && done <= last.done)) return;
    const at = Date.parse(job.updatedAt);
    if (last !== undefined && at <= last.at) return;
    const before = this.#samples.at(-2);
    if (before !== undefined && at - before.at < LEAST_PAUSE_MS) this.#samples.pop();
    this.#samples = [
      ...this.#samples.filter((sample) => at - sample.at <= WINDOW_MS),
      { at, arrivedAt, done },
    ];
  }

  /** What is left at `now`, by this device's clock. */
  estimate(now: number): Estimate {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined || this.#stalled) return UNKNOWN;
    const span = last.at - first.at;
    const advance = last.done - first.done;
    if (this.#samples.length < LEAST_SAMPLES || span < LEAST_SPAN_MS || advance < LEAST_ADVANCE)
      return UNKNOWN;
    if (this.#unevenness(first, last) > MOST_UNEVEN) return UNKNOWN;
    const pause = span / (this.#samples.length - 1);
    const silence = now - last.arrivedAt;
    if (silence > Math.max(SILENCE_MS, SILENT_PAUSES * pause)) return UNKNOWN;
    return { known: true, remainingMs: Math.max(0, ((1 - last.done) * span) / advance - silence) };
  }

  #unevenness(first: Sample, last: Sample): number {
    const halfTime = (first.at + last.at) / 2;
    const middle = this.#samples.find((sample) => sample.at >= halfTime);
    if (middle === undefined || middle === last) return 1; // a single stride has no halves to compare
    const before = rate(first, middle);
    const after = rate(middle, last);
    return Math.max(before / after, after / before);
  }
}

function rate(from: Sample, to: Sample): number {
  return (to.done - from.done) / Math.max(1, to.at - from.at);
}

function doneOf({ status, progress }: Job): number | undefined {
  if (progress === undefined) return undefined;
  if (status === 'running') return progress.fraction;
  if (status !== 'awaiting-upload') return undefined;
  const { done, total } = progress;
  return done === undefined || total === undefined || total <= 0 ? undefined : Math.min(1, done / total);
}
