import type { Job } from '../protocol/job.ts';
import type { Status } from '../protocol/status.ts';
import { isTerminal } from '../protocol/status.ts';
import type { SeenStep } from './job-record.ts';

/** One bar of the timeline. Times in milliseconds since the epoch, by the server's clock. */
export interface Span {
  readonly key: string;
  readonly label: string;
  readonly kind: 'phase' | 'step';
  /** `ahead`: not begun; `unseen`: over before this page looked. */
  readonly state: 'over' | 'now' | 'ahead' | 'unseen';
  /** Whether it began before `from`, unseen by this page. */
  readonly open?: boolean;
  readonly from?: number;
  readonly to?: number;
}

/** How a job has come here: bars for what takes time, and the end of the whole in milliseconds since the epoch. */
export interface Timeline {
  readonly spans: readonly Span[];
  readonly from: number;
  readonly to: number;
}

const PHASES: Readonly<Partial<Record<Status, string>>> = {
  'awaiting-upload': 'Upload',
  queued: 'Queue',
  running: 'Work',
};

/**
 * The timeline from the first byte to the result. Every phase of a job is there from the beginning, so that nothing
 * moves when it comes; those that a job which ended early never entered are left out.
 * @param now by the server's clock, as far as that is known
 */
export function timelineOf(job: Job, steps: readonly SeenStep[], now: number): Timeline {
  const terminal = isTerminal(job.status);
  const from = Date.parse(job.createdAt);
  const to = terminal
    ? Date.parse(job.finishedAt ?? job.updatedAt)
    : Math.max(now, Date.parse(job.updatedAt));
  const spans: Span[] = [];
  for (const status of ['awaiting-upload', 'queued', 'running'] as const) {
    const index = job.history.findIndex((entry) => entry.status === status);
    const entry = job.history[index];
    if (entry === undefined && terminal) continue;
    const label = PHASES[status] ?? status;
    if (entry === undefined) spans.push({ key: status, label, kind: 'phase', state: 'ahead' });
    else {
      const next = job.history[index + 1];
      spans.push({
        key: status,
        label,
        kind: 'phase',
        state: next === undefined ? 'now' : 'over',
        from: Date.parse(entry.at),
        to: next === undefined ? to : Date.parse(next.at),
      });
    }
    if (status === 'running') spans.push(...stepSpans(job, steps, to));
  }
  return { spans, from, to: Math.max(to, from + 1) };
}

/** Steps that nobody here saw are told of only while the job runs, so that it is clear which one it is at. */
function stepSpans(job: Job, steps: readonly SeenStep[], to: number): Span[] {
  const running = job.status === 'running';
  const count = running ? (job.step?.count ?? 0) : (steps.at(-1)?.index ?? 0);
  const reached = job.step?.index ?? 0;
  return Array.from({ length: Math.min(count, MOST_STEPS) }, (_, position): Span => {
    const index = position + 1;
    const seen = steps.find((step) => step.index === index);
    const base = { key: `step ${index}`, label: seen?.name ?? `Step ${index}`, kind: 'step' } as const;
    if (seen === undefined) return { ...base, state: index <= reached ? 'unseen' : 'ahead' };
    const state = seen.to === undefined ? 'now' : 'over';
    return { ...base, state, open: !seen.begun, from: seen.from, to: seen.to ?? to };
  });
}

/** A processor may announce any number of steps; a list of more than these helps nobody. */
const MOST_STEPS = 24;
