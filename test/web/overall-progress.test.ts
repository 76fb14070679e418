import { expect, it } from 'vitest';
import { OverallProgress } from '../../web/overall-progress.ts';
import { sampleJob } from '../client/sample-job.ts';

const waiting = (seq: number, fraction?: number) =>
  sampleJob(seq, 'awaiting-upload', fraction === undefined ? {} : { progress: { fraction } });

it('does not go back when an upload is stopped that had come further than was reported', () => {
  const overall = new OverallProgress();
  expect(overall.of(waiting(1), { phase: 'sending', sent: 30, total: 100 })).toBeUndefined();
  expect(overall.of(waiting(2, 0.15), { phase: 'sending', sent: 42, total: 100 })).toBe(0.21);
  expect(overall.of(waiting(2, 0.15), { phase: 'stopped' })).toBe(0.21);
  expect(overall.of(sampleJob(3, 'cancelled', { progress: { fraction: 0.15 } }), { phase: 'stopped' })).toBe(
    0.21,
  );
});

it('begins anew with each making of a job, and ends at the whole', () => {
  const overall = new OverallProgress();
  expect(overall.of(waiting(1, 0.4), undefined)).toBe(0.4);
  const again = sampleJob(1, 'running', { epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZZ', progress: { fraction: 0.1 } });
  expect(overall.of(again, undefined)).toBe(0.1);
  expect(overall.of({ ...again, status: 'succeeded' }, undefined)).toBe(1);
});
