import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { InvalidReportError, TooLargeError, UnavailableError } from '../../../handlers/errors.ts';
import type { JobRecord } from '../../../handlers/ports.ts';
import { aliveExecution, JobReporter } from '../../../handlers/process/progress-reporter.ts';
import type { WorkStoppedError } from '../../../handlers/process/work-stopped.ts';
import { sampleNewJob } from '../../conformance/sample-jobs.ts';
import { ManualClock } from '../../local/manual-clock.ts';
import { FaultyJobs } from './faulty-jobs.ts';
import { RecordedTelemetry } from './recorded-telemetry.ts';

let clock: ManualClock;
let jobs: FaultyJobs;
let telemetry: RecordedTelemetry;
let record: JobRecord;
let stops: WorkStoppedError[];

beforeEach(async () => {
  clock = new ManualClock();
  jobs = new FaultyJobs();
  telemetry = new RecordedTelemetry();
  stops = [];
  const { job } = await jobs.create(sampleNewJob());
  await jobs.change(job.id, { at: at(), to: 'queued', set: { objectTag: '"tag"' } });
  record = await jobs.change(job.id, {
    at: at(),
    to: 'running',
    set: { execution: aliveExecution('me', clock.now()) },
  });
  jobs.changes.length = 0;
});

function at(): string {
  return new Date(clock.now()).toISOString();
}

function reporterFor(claimed: JobRecord = record): JobReporter {
  return new JobReporter({
    jobs,
    record: claimed,
    execution: 'me',
    clock,
    log: telemetry.log,
    stop: (reason) => void stops.push(reason),
  });
}

/** Time passes in steps, and what each step set off comes to its end. */
async function pass(milliseconds: number, step = 10): Promise<void> {
  await turn();
  for (let passed = 0; passed < milliseconds; passed += step) {
    clock.advance(step);
    await turn();
  }
}

async function current() {
  const found = await jobs.readMany([record.job.id]);
  return found[0];
}

describe('a tight loop', () => {
  test('writes the first report at once, then ten a second, and always the newest', async () => {
    const reporter = reporterFor();
    for (let done = 0; done <= 10_000; done += 1) {
      reporter.report({ progress: { done, total: 10_000 } });
      if (done % 100 === 0) await pass(10);
    }
    // 1,010 ms have passed.
    expect(jobs.changes.length).toBeGreaterThanOrEqual(10);
    expect(jobs.changes.length).toBeLessThanOrEqual(12);
    expect(jobs.changes[0]?.set?.progress?.done).toBe(0);
    const last = await reporter.settle();
    expect(last.progress).toEqual({ done: 10_000, total: 10_000, fraction: 1 });
  });

  test('never has two writes under way', async () => {
    const releases: (() => void)[] = [];
    jobs.before = () => new Promise((resolve) => releases.push(() => resolve(undefined)));
    const reporter = reporterFor();
    for (let done = 0; done < 50; done += 1) {
      reporter.report({ message: `number ${done}` });
      await pass(100, 100);
    }
    expect(releases).toHaveLength(1);
    releases.shift()?.();
    await pass(200, 100);
    expect(jobs.mostConcurrent).toBe(1);
    expect(releases).toHaveLength(1);
    releases.shift()?.();
    await turn();
    expect(jobs.changes.map(({ set }) => set?.message)).toEqual(['number 0', 'number 49']);
    await reporter.settle();
  });

  test('a report that comes while a write is under way is written next', async () => {
    const reporter = reporterFor();
    reporter.report({ message: 'one' });
    reporter.report({ message: 'two' });
    await pass(90);
    expect(jobs.changes).toHaveLength(1);
    await pass(20);
    expect((await current())?.job.message).toBe('two');
    await reporter.settle();
  });
});

describe('what is written', () => {
  test('fields that a report leaves out stay', async () => {
    const reporter = reporterFor();
    reporter.report({ message: 'words', step: { name: 'read', index: 1, count: 2 } });
    await pass(100);
    reporter.report({ progress: { done: 1, total: 4, unit: 'rows' } });
    await pass(100);
    expect((await current())?.job).toMatchObject({
      message: 'words',
      step: { name: 'read', index: 1, count: 2 },
      progress: { done: 1, total: 4, unit: 'rows', fraction: 0.25 },
    });
    await reporter.settle();
  });

  test('a fraction never goes backwards, whatever is reported', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }),
        async (fractions) => {
          const reporter = reporterFor((await current()) ?? record);
          let before = (await current())?.job.progress?.fraction ?? 0;
          for (const fraction of fractions) {
            reporter.report({ progress: { fraction: fraction < 1e-100 ? 0 : fraction } });
            await pass(110, 110);
            const now = (await current())?.job.progress?.fraction ?? 0;
            expect(now).toBeGreaterThanOrEqual(before);
            before = now;
          }
          await reporter.settle();
        },
      ),
      { numRuns: 20 },
    );
  });

  test('the work fills what the upload has left of the fraction, also after a take-over', async () => {
    await jobs.change(record.job.id, {
      at: at(),
      within: ['running'],
      set: { uploadShare: 0.5, progress: { fraction: 0.5 } },
    });
    const first = reporterFor(await current());
    first.report({ progress: { done: 0, total: 10 } });
    await pass(110, 110);
    expect((await current())?.job.progress).toEqual({ done: 0, total: 10, fraction: 0.5 });
    first.report({ progress: { done: 6, total: 10, unit: 'rows' } });
    await pass(110, 110);
    expect((await current())?.job.progress).toEqual({ done: 6, total: 10, unit: 'rows', fraction: 0.8 });
    await first.settle();
    const second = reporterFor(await current());
    second.report({ progress: { fraction: 0.2 } });
    await pass(110, 110);
    expect((await current())?.job.progress?.fraction).toBe(0.8);
    second.report({ progress: { fraction: 1 } });
    expect((await second.settle()).progress).toEqual({ fraction: 1 });
  });

  test('after a take-over the fraction of the record is the floor', async () => {
    await jobs.change(record.job.id, { at: at(), within: ['running'], set: { progress: { fraction: 0.6 } } });
    const reporter = reporterFor(await current());
    reporter.report({ progress: { done: 1, total: 10 } });
    expect((await reporter.settle()).progress).toEqual({ done: 1, total: 10, fraction: 0.6 });
  });
});

describe('reports that no job can hold are thrown at the caller, and count for nothing', () => {
  test.each([
    [{ progress: { fraction: 1.5 } }, 'progress.fraction'],
    [{ progress: { fraction: Number.NaN } }, 'progress.fraction'],
    [{ progress: { done: -1 } }, 'progress.done'],
    [{ progress: { done: Number.POSITIVE_INFINITY, total: 5 } }, 'progress.done'],
    [{ message: '' }, 'message'],
    [{ step: { name: 'x', index: 0, count: 1 } }, 'step.index'],
    [{ message: '\ud800' }, 'message'],
  ])('%j', async (report, field) => {
    const reporter = reporterFor();
    expect(() => reporter.report(report)).toThrow(InvalidReportError);
    expect(() => reporter.report(report)).toThrow(field);
    await pass(500, 100);
    expect(jobs.changes).toEqual([]);
    await reporter.settle();
  });

  test('too large', async () => {
    const reporter = reporterFor();
    expect(() => reporter.report({ message: 'x'.repeat(3000) })).toThrow(TooLargeError);
    expect(() => reporter.report({ message: 'x'.repeat(3000) })).toThrow('message');
    await reporter.settle();
  });
});

describe('when the table is not available', () => {
  test('the work goes on, and the newest report is written once the table is back', async () => {
    let down = true;
    jobs.before = async () => (down ? new UnavailableError('DynamoDB') : undefined);
    const reporter = reporterFor();
    reporter.report({ message: 'first' });
    await pass(3_000, 100);
    reporter.report({ message: 'second' });
    expect(jobs.changes).toEqual([]);
    expect(telemetry.messages('warn').length).toBeGreaterThan(2);
    expect(telemetry.messages('warn').length).toBeLessThan(8);
    down = false;
    await pass(5_000, 100);
    expect(jobs.changes[0]?.set?.message).toBe('second');
    expect(stops).toEqual([]);
    await reporter.settle();
  });

  test('what could not be written is answered at the end', async () => {
    jobs.before = async () => new UnavailableError('DynamoDB');
    const reporter = reporterFor();
    reporter.report({ message: 'kept' });
    await pass(100);
    expect(await reporter.settle()).toEqual({ message: 'kept' });
  });

  test('an error that nobody foresaw is logged as one, and does not reach the work either', async () => {
    jobs.before = async () => new TypeError('a bug');
    const reporter = reporterFor();
    reporter.report({ message: 'kept' });
    await pass(100);
    expect(telemetry.messages('error')).toHaveLength(1);
    expect(stops).toEqual([]);
    await reporter.settle();
  });
});

describe('a job that is not ours any more', () => {
  test('a cancelled job stops the work at the next write', async () => {
    const reporter = reporterFor();
    await jobs.change(record.job.id, { at: at(), to: 'cancelled' });
    reporter.report({ message: 'too late' });
    await turn();
    expect(stops.map(({ reason }) => reason)).toEqual(['cancelled']);
    await pass(60_000, 1_000);
    expect(stops).toHaveLength(1);
    expect((await current())?.job.message).toBeUndefined();
    await reporter.settle();
  });

  test('a silent processor hears of it within two seconds', async () => {
    const reporter = reporterFor();
    await pass(1_000, 100);
    await jobs.change(record.job.id, { at: at(), to: 'cancelled' });
    await pass(2_000, 100);
    expect(stops.map(({ reason }) => reason)).toEqual(['cancelled']);
    await reporter.settle();
  });

  test('another execution has it', async () => {
    const reporter = reporterFor();
    await jobs.change(record.job.id, {
      at: at(),
      within: ['running'],
      set: { execution: aliveExecution('another', clock.now()) },
    });
    reporter.report({ message: 'mine?' });
    await turn();
    expect(stops.map(({ reason }) => reason)).toEqual(['lost']);
    await reporter.settle();
  });

  test('it was deleted', async () => {
    const reporter = reporterFor();
    jobs.forget(record.job.id);
    await pass(2_100, 100);
    expect(stops.map(({ reason }) => reason)).toEqual(['gone']);
    await reporter.settle();
  });

  test('a look that fails is only logged', async () => {
    jobs.beforeRead = () => new UnavailableError('DynamoDB');
    const reporter = reporterFor();
    await pass(4_100, 100);
    expect(telemetry.messages('warn')).toHaveLength(2);
    expect(stops).toEqual([]);
    await reporter.settle();
  });
});

describe('a silent processor', () => {
  test('is shown to be alive every 20 seconds', async () => {
    const reporter = reporterFor();
    const promised = Date.parse(record.execution?.aliveUntil ?? '');
    await pass(61_000, 500);
    expect(jobs.changes).toHaveLength(3);
    expect(Date.parse((await current())?.execution?.aliveUntil ?? '')).toBe(promised + 60_000);
    expect(jobs.changes.every(({ set }) => set?.message === undefined)).toBe(true);
    await reporter.settle();
  });

  test('after the end nothing is left over', async () => {
    const reporter = reporterFor();
    reporter.report({ message: 'x' });
    await reporter.settle();
    expect(clock.pending).toBe(0);
    reporter.report({ message: 'afterwards' });
    await pass(60_000, 1_000);
    expect(clock.pending).toBe(0);
    expect(jobs.changes).toHaveLength(1);
  });
});
