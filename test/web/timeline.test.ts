import { describe, expect, it } from 'vitest';
import type { Job } from '../../protocol/job.ts';
import type { Status } from '../../protocol/status.ts';
import { JobRecord } from '../../web/job-record.ts';
import { timelineOf } from '../../web/timeline.ts';
import { sampleJob } from '../client/sample-job.ts';

const START = Date.parse('2026-11-23T12:00:00.000Z');
const at = (seconds: number) => new Date(START + seconds * 1000).toISOString();

function job(seq: number, entered: Partial<Record<Status, number>>, changes: Partial<Job> = {}): Job {
  const entries = Object.entries(entered);
  const history = entries.map(([status, seconds], index) => ({
    status: status as Status, // the keys of `entered` are statuses
    at: at(seconds),
    seq: index + 1,
  }));
  const status = history.at(-1)?.status ?? 'awaiting-upload';
  return sampleJob(seq, status, { createdAt: at(0), updatedAt: at(seq), history, ...changes });
}

const RUNNING = { 'awaiting-upload': 0, queued: 2, running: 3 } as const;
const step = (index: number, name: string) => ({ step: { index, name, count: 3 } });

/** What the record of a page knows that has seen these states. */
function record(...states: readonly Job[]): JobRecord {
  const kept = new JobRecord();
  for (const state of states) kept.take(state, Date.parse(state.updatedAt));
  kept.publish();
  return kept;
}

describe('the timeline', () => {
  it('has a bar a phase and a step, each with what it took', () => {
    const states = [
      job(1, { 'awaiting-upload': 0 }),
      job(3, RUNNING, { ...step(1, 'sniff'), startedAt: at(3) }),
      job(5, RUNNING, step(2, 'profile')),
    ];
    const { steps } = record(...states).notes.value;
    const { spans, from, to } = timelineOf(job(6, RUNNING, step(2, 'profile')), steps, START + 9_000);
    expect(spans.map(({ label, state, from, to }) => [label, state, from, to])).toEqual([
      ['Upload', 'over', START, START + 2_000],
      ['Queue', 'over', START + 2_000, START + 3_000],
      ['Work', 'now', START + 3_000, START + 9_000],
      ['sniff', 'over', START + 3_000, START + 5_000],
      ['profile', 'now', START + 5_000, START + 9_000],
      ['Step 3', 'ahead', undefined, undefined],
    ]);
    expect([from, to]).toEqual([START, START + 9_000]);
  });

  it('says honestly what it has not seen', () => {
    const late = job(8, RUNNING, step(2, 'profile'));
    const { spans } = timelineOf(late, record(late).notes.value.steps, START + 9_000);
    expect(spans.slice(3).map(({ state, open }) => [state, open])).toEqual([
      ['unseen', undefined],
      ['now', true],
      ['ahead', undefined],
    ]);
  });

  it('ends with the job, and leaves out what it never entered', () => {
    const cancelled = job(4, { 'awaiting-upload': 0, cancelled: 4 }, { finishedAt: at(4) });
    const { spans, to } = timelineOf(cancelled, [], START + 900_000);
    expect(spans.map(({ label }) => label)).toEqual(['Upload']);
    expect(to).toBe(START + 4_000);
  });
});

describe('the log', () => {
  it('has a line for each transition, step and message, newest first, once', () => {
    const states = [
      job(2, { 'awaiting-upload': 0, queued: 2 }),
      job(5, RUNNING, { ...step(1, 'sniff'), message: 'begun' }),
      job(6, RUNNING, { ...step(1, 'sniff'), message: 'begun', progress: { fraction: 0.5 } }),
      job(7, RUNNING, { ...step(1, 'sniff'), message: 'half', stalled: true }),
      job(6, RUNNING, { ...step(1, 'sniff'), message: 'too late' }),
    ];
    expect(record(...states).notes.value.lines.map(({ seq, text }) => [seq, text])).toEqual([
      [7, 'Not heard from for a while'],
      [7, 'half'],
      [5, 'begun'],
      [5, 'Step 1 of 3: sniff'],
      [3, 'Running'],
      [2, 'Queued'],
      [1, 'Waiting for file'],
    ]);
  });

  it('keeps the newest lines of a long job', () => {
    const kept = new JobRecord();
    for (let seq = 5; seq <= 1_000; seq += 1) kept.take(job(seq, RUNNING, { message: `row ${seq}` }), 0);
    kept.publish();
    const { lines } = kept.notes.value;
    expect([lines.length, lines[0]?.text]).toEqual([200, 'row 1000']);
  });
});
