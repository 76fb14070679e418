import { describe, expect, it } from 'vitest';
import type { Status } from '../../protocol/status.ts';
import { Estimator } from '../../web/estimate.ts';
import { sampleJob } from '../client/sample-job.ts';

const START = Date.parse('2026-11-23T12:00:00.000Z');

/** Feeds an estimator reports of `[seconds, fraction]`, each arriving `lateMs` after its commit. */
function estimatorOf(
  reports: readonly (readonly [number, number])[],
  options: { status?: Status; lateMs?: number; stalled?: boolean } = {},
): Estimator {
  const { status = 'running', lateMs = 0, stalled = false } = options;
  const estimator = new Estimator();
  reports.forEach(([seconds, fraction], index) => {
    const at = START + seconds * 1000;
    const progress =
      status === 'running'
        ? { fraction }
        : { done: fraction * 500, total: 500, unit: 'bytes', fraction: fraction / 2 };
    const updatedAt = new Date(at).toISOString();
    estimator.add(sampleJob(index + 1, status, { updatedAt, progress, stalled }), at + lateMs);
  });
  return estimator;
}

/** One report a second that each moves by `step`. */
function steady(count: number, step: number): (readonly [number, number])[] {
  return Array.from({ length: count }, (_, index) => [index, index * step] as const);
}

describe('the estimate', () => {
  it.each([
    ['nothing has come', []],
    ['there are three reports', steady(3, 0.1)],
    ['the reports span less than three seconds', steady(8, 0.1).map(([at, done]) => [at / 4, done] as const)],
    ['they have moved less than one percent', steady(10, 0.0005)],
    ['the rate has changed more than threefold', [...steady(5, 0.01), [5, 0.2], [6, 0.4], [7, 0.6]] as const],
  ])('is unknown while %s', (_, reports) => {
    expect(estimatorOf(reports).estimate(START + (reports.at(-1)?.[0] ?? 0) * 1000)).toEqual({
      known: false,
    });
  });

  it('is what is left at the rate of the last minute, counted down between reports', () => {
    const estimator = estimatorOf(steady(11, 0.02));
    expect(estimator.estimate(START + 10_000)).toEqual({
      known: true,
      remainingMs: expect.closeTo(40_000, 0),
    });
    expect(estimator.estimate(START + 13_000)).toEqual({
      known: true,
      remainingMs: expect.closeTo(37_000, 0),
    });
    // Fast at first, slow for more than a minute: the slow rate counts.
    const slow = estimatorOf([
      ...steady(10, 0.05),
      ...Array.from({ length: 80 }, (_, index) => [10 + index, 0.45 + index * 0.001] as const),
    ]);
    expect(slow.estimate(START + 89_000)).toEqual({
      known: true,
      remainingMs: expect.closeTo((1 - 0.529) * 1_000_000, -2),
    });
  });

  it('is not bent by frames that come late, or by a device whose clock is wrong', () => {
    const late = estimatorOf(steady(11, 0.02), { lateMs: 3_600_000 });
    expect(late.estimate(START + 10_000 + 3_600_000)).toEqual({
      known: true,
      remainingMs: expect.closeTo(40_000, 0),
    });
  });

  it('is unknown again in silence, and while the job is stalled', () => {
    const estimator = estimatorOf(steady(11, 0.02));
    expect(estimator.estimate(START + 20_000).known).toBe(true);
    expect(estimator.estimate(START + 20_001).known).toBe(false);
    expect(estimatorOf(steady(11, 0.02), { stalled: true }).estimate(START + 10_000).known).toBe(false);
  });

  it('begins anew with each phase, and tells of an upload by its bytes', () => {
    const estimator = estimatorOf(steady(11, 0.05), { status: 'awaiting-upload' });
    expect(estimator.estimate(START + 10_000)).toEqual({
      known: true,
      remainingMs: expect.closeTo(10_000, 0),
    });
    const updatedAt = new Date(START + 11_000).toISOString();
    estimator.add(sampleJob(20, 'running', { updatedAt, progress: { fraction: 0.5 } }), START + 11_000);
    expect(estimator.estimate(START + 11_000).known).toBe(false);
    expect(estimatorOf(steady(11, 0.05), { status: 'queued' }).estimate(START + 10_000).known).toBe(false);
  });

  it('does not tire of thousands of reports', () => {
    const reports = Array.from({ length: 20_000 }, (_, index) => [index / 1000, index / 40_000] as const);
    const began = performance.now();
    const estimate = estimatorOf(reports).estimate(START + 20_000);
    expect(estimate).toEqual({ known: true, remainingMs: expect.closeTo(20_000, -2) });
    expect(performance.now() - began).toBeLessThan(2_000);
  });
});
