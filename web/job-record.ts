import { type ReadonlySignal, signal } from '@preact/signals';
import { isNewer, type Job, type Step } from '../protocol/job.ts';
import type { Status } from '../protocol/status.ts';
import { type Estimate, Estimator } from './estimate.ts';
import { OverallProgress } from './overall-progress.ts';
import { STATUS_LABELS } from './wording.ts';

/** The most lines that are kept of one job. */
const KEPT_LINES = 200;

/** Something that a state said for the first time. */
export interface LogLine {
  readonly seq: number;
  /** RFC 3339. */
  readonly at: string;
  readonly kind: 'status' | 'step' | 'message' | 'stalled';
  readonly text: string;
}

/** A step that was seen. Times in milliseconds since the epoch, by the server's clock. */
export interface SeenStep {
  readonly index: number;
  readonly name: string;
  readonly from: number;
  /** Whether it began at `from`; otherwise the job was in the midst of it when this page first looked. */
  readonly begun: boolean;
  readonly to?: number;
}

/** What a page has gathered of one job. */
export interface JobNotes {
  /** Newest first. */
  readonly lines: readonly LogLine[];
  readonly steps: readonly SeenStep[];
}

/** Gathers from the states of one job what the newest of them does not tell any more. */
export class JobRecord {
  readonly #notes = signal<JobNotes>({ lines: [], steps: [] });
  readonly #estimator = new Estimator();
  /** How far the job is, for its bars. */
  readonly overall = new OverallProgress();
  #lines: LogLine[] = [];
  #steps: SeenStep[] = [];
  #last: Job | undefined;

  /** What was gathered as of the last `publish`. */
  get notes(): ReadonlySignal<JobNotes> {
    return this.#notes;
  }

  /** Takes a state; what is not newer than the last changes nothing. */
  take(job: Job, now: number): void {
    const last = this.#last?.epoch === job.epoch ? this.#last : undefined;
    if (!isNewer(job, this.#last)) return;
    if (last === undefined) {
      this.#lines = [];
      this.#steps = [];
    }
    this.#last = job;
    this.#estimator.add(job, now);
    const lines = [...changesOf(job, last), ...transitionsOf(job, last)];
    // What came first stands first; of one state, what it is about before what came of it.
    this.#lines.push(...lines.sort((one, other) => one.seq - other.seq));
    if (this.#lines.length > KEPT_LINES) this.#lines.splice(0, this.#lines.length - KEPT_LINES);
    this.#follow(job, last);
  }

  /** Shows what has been gathered. */
  publish(): void {
    this.#notes.value = { lines: this.#lines.toReversed(), steps: [...this.#steps] };
  }

  /** How long the present phase will still take at `now`. */
  estimate(now: number): Estimate {
    return this.#estimator.estimate(now);
  }

  /** Steps of the work alone: the upload is a phase of its own. */
  #follow(job: Job, last: Job | undefined): void {
    const at = Date.parse(job.updatedAt);
    const open = this.#steps.at(-1);
    const current = job.status === 'running' ? job.step : undefined;
    if (open !== undefined && open.to === undefined && open.index !== current?.index) {
      this.#steps = [...this.#steps.slice(0, -1), { ...open, to: at }];
    }
    if (current === undefined || open?.index === current.index) return;
    // The first step began with the work; of a later one the beginning was seen only if the job was watched before.
    const from = current.index === 1 ? Date.parse(job.startedAt ?? job.updatedAt) : at;
    const begun = current.index === 1 || last !== undefined;
    this.#steps.push({ index: current.index, name: current.name, from, begun });
  }
}

function transitionsOf({ history }: Job, last: Job | undefined): LogLine[] {
  return history
    .filter((entry) => last?.history.some(({ status }) => status === entry.status) !== true)
    .map(({ seq, at, status }) => ({ seq, at, kind: 'status', text: STATUS_LABELS[status] }));
}

/** An upload is told as a step of its own, but counts as none of the work's. */
function stepText(status: Status, { name, index, count }: Step): string {
  return status === 'awaiting-upload' ? 'Uploading' : `Step ${index} of ${count}: ${name}`;
}

function changesOf(job: Job, last: Job | undefined): LogLine[] {
  const { seq, updatedAt: at, step, message, stalled } = job;
  const lines: LogLine[] = [];
  if (step !== undefined && (step.name !== last?.step?.name || step.index !== last.step.index)) {
    lines.push({ seq, at, kind: 'step', text: stepText(job.status, step) });
  }
  if (message !== undefined && message !== last?.message) {
    lines.push({ seq, at, kind: 'message', text: message });
  }
  if (stalled !== (last?.stalled ?? false)) {
    lines.push({
      seq,
      at,
      kind: 'stalled',
      text: stalled ? 'Not heard from for a while' : 'Heard from again',
    });
  }
  return lines;
}
