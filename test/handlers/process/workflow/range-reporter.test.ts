import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { UnavailableError } from '../../../../handlers/errors.ts';
import { WorkStoppedError } from '../../../../handlers/process/work-stopped.ts';
import { RangeReporter } from '../../../../handlers/process/workflow/range-reporter.ts';
import { planOf } from '../profile-of.ts';
import { FILE, LIMITS, WorkflowWorld } from './workflow-world.ts';

interface Setting {
  readonly world: WorkflowWorld;
  readonly stops: WorkStoppedError[];
  /** A reporter of a range that begins now. */
  begin(range: number): Promise<RangeReporter>;
}

async function setting(): Promise<Setting> {
  const world = new WorkflowWorld();
  await world.queue();
  await world.begin();
  const plan = await planOf(FILE, LIMITS);
  const stops: WorkStoppedError[] = [];
  return {
    world,
    stops,
    begin: async (range) =>
      new RangeReporter(
        { ...world.parts, plan, range },
        {
          record: await world.job(),
          execution: world.execution,
          signal: new AbortController().signal,
          stop: (reason) => void stops.push(reason),
          persist: (_, action) => action(),
        },
      ),
  };
}

async function pass(world: WorkflowWorld, milliseconds: number): Promise<void> {
  await turn();
  world.clock.advance(milliseconds);
  await turn();
}

test('writes at once, then once a second, and the last figures at the end', async () => {
  const { world, begin } = await setting();
  const reporter = await begin(0);
  const before = world.jobs.changes.length;
  reporter.report({ bytes: 1, rows: 0 });
  reporter.report({ bytes: 2, rows: 1 });
  await pass(world, 900);
  expect(world.jobs.changes.length - before).toBe(1);
  await pass(world, 100);
  expect(world.jobs.changes.length - before).toBe(2);
  reporter.report({ bytes: 50, rows: 4 });
  await reporter.finish();
  expect(world.jobs.changes.length - before).toBe(3);
  expect((await world.job()).ranges?.[0]).toEqual([50, 4]);
  expect(world.clock.pending).toBe(0);
});

test('sums up what all ranges say, however they come between each other', async () => {
  const { world, begin } = await setting();
  const [one, other] = [await begin(0), await begin(3)];
  one.report({ bytes: 40, rows: 3 });
  other.report({ bytes: 20, rows: 2 });
  await pass(world, 1_000);
  const { job, ranges } = await world.job();
  expect(ranges?.map(([bytes]) => bytes)).toEqual([40, 0, 0, 20, ...(ranges?.slice(4) ?? []).map(() => 0)]);
  expect(job.progress).toMatchObject({ done: 60, total: FILE.byteLength, unit: 'bytes' });
  expect(job.message).toBe('profiled 5 rows of 2 columns');
  await Promise.all([one.settle(), other.settle()]);
});

test('takes nothing back where a range is begun again, or runs twice', async () => {
  const { world, begin } = await setting();
  const first = await begin(2);
  first.report({ bytes: 40, rows: 3 });
  await pass(world, 1_000);
  const again = await begin(2);
  again.report({ bytes: 10, rows: 1 });
  await pass(world, 1_000);
  expect((await world.job()).ranges?.[2]).toEqual([40, 3]);
  again.report({ bytes: 55, rows: 4 });
  await pass(world, 1_000);
  first.report({ bytes: 45, rows: 3 });
  await pass(world, 1_000);
  expect((await world.job()).ranges?.[2]).toEqual([55, 4]);
  expect((await world.job()).job.progress?.done).toBe(55);
  await Promise.all([first.settle(), again.settle()]);
});

test('a step that runs late says nothing of a job that is in a later one', async () => {
  const { world, begin } = await setting();
  const reporter = await begin(0);
  const { id } = world.record.job;
  await world.jobs.change(id, {
    at: world.at(),
    within: ['running'],
    set: { step: { name: 'merge', index: 3, count: 3 }, progress: { fraction: 0.95 } },
  });
  reporter.report({ bytes: 40, rows: 3 });
  await reporter.finish();
  expect((await world.job()).job).toMatchObject({ step: { name: 'merge' }, progress: { fraction: 0.95 } });
});

test('stops the work where the job is cancelled', async () => {
  const { world, begin, stops } = await setting();
  const reporter = await begin(0);
  await world.jobs.change(world.record.job.id, { at: world.at(), to: 'cancelled' });
  reporter.report({ bytes: 40, rows: 3 });
  await pass(world, 0);
  expect(stops.map(({ reason }) => reason)).toEqual(['cancelled']);
  await expect(reporter.finish()).rejects.toMatchObject({ reason: 'cancelled' });
  expect(world.telemetry.messages('warn')).toEqual([]);
});

test('a range whose last figures are refused stops its work, and warns of nothing', async () => {
  const { world, begin, stops } = await setting();
  const reporter = await begin(0);
  await world.jobs.change(world.record.job.id, { at: world.at(), to: 'cancelled' });
  await expect(reporter.finish()).rejects.toBeInstanceOf(WorkStoppedError);
  expect(stops.map(({ reason }) => reason)).toEqual(['cancelled']);
  expect(world.telemetry.messages('warn')).toEqual([]);
});

test('goes on where the last figures cannot be written now', async () => {
  const { world, begin, stops } = await setting();
  const reporter = await begin(0);
  world.jobs.before = async () => new UnavailableError('DynamoDB');
  await world.whileTimePasses(() => reporter.finish());
  expect(stops).toEqual([]);
  expect(world.telemetry.messages('warn')).toContain('the end of a step could not be written');
});
