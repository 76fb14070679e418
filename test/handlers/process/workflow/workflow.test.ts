import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { RefusedError, UnavailableError } from '../../../../handlers/errors.ts';
import { csvProfileWithin } from '../../../../handlers/process/csv-profile/csv-profile.ts';
import { runJob } from '../../../../handlers/process/run-job.ts';
import { WORKFLOW_TIME_LIMIT_ERROR } from '../../../../handlers/process/workflow/execution-failure.ts';
import { removeAbandonedFiles } from '../../../../handlers/process/workflow/fetch.ts';
import { resultInOnePass } from '../profile-of.ts';
import { FILE, LIMITS, type Variant, WorkflowWorld } from './workflow-world.ts';

const VARIANTS: readonly Variant[] = ['step-functions', 'step-functions-efs'];

async function worldWith(variant: Variant, file?: Uint8Array): Promise<WorkflowWorld> {
  const world = new WorkflowWorld(variant);
  await world.queue(file);
  return world;
}

function expectFractionsInOrder(world: WorkflowWorld): void {
  const fractions = world.states.map(({ job }) => job.progress?.fraction ?? 0);
  expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
}

describe.each(VARIANTS)('%s', (variant) => {
  test('from the start to the result, byte for byte that of the single function', async () => {
    const world = await worldWith(variant);
    expect(await world.execute()).toBe('succeeded');
    const { job, ranges } = await world.job();
    expect(job.history.map(({ status }) => status)).toEqual([
      'awaiting-upload',
      'queued',
      'running',
      'succeeded',
    ]);
    const written = world.results.resultOf(world.record);
    const { body } = await resultInOnePass([FILE], LIMITS);
    expect(Buffer.from(written?.body ?? []).toString()).toBe(body);
    expect(job.result).toEqual({
      href: `/jobs/${job.id}/result`,
      contentType: 'application/json',
      size: written?.body.byteLength,
    });
    const size = FILE.byteLength;
    expect(job.progress).toEqual({ done: size, total: size, unit: 'bytes', fraction: 1 });
    const count = variant === 'step-functions' ? 3 : 4;
    expect(job.step).toEqual({ name: 'merge', index: count, count });
    expect(job.message).toBe('profiled 40 rows of 2 columns');
    expect(ranges).toBeUndefined();
    expect(world.files).toEqual([]);
    expect(world.telemetry.sum('JobsSucceeded')).toBe(1);
    expectFractionsInOrder(world);
    expect(world.deadlines.waiting[0]).toEqual({
      message: { ...world.input, execution: world.execution },
      delaySeconds: 60,
    });
    expect(world.clock.pending).toBe(0);
  });

  test('ends as the single function does', async () => {
    const [world, single] = [await worldWith(variant), await worldWith(variant)];
    await world.execute();
    const processors = { 'csv-profile': csvProfileWithin(LIMITS) };
    const parts = { ...single.parts, processors, newExecution: () => single.execution };
    expect(await runJob(single.input, single.clock.now() + 900_000, parts)).toBe('done');
    const ended = async (of: WorkflowWorld) => {
      const { result, progress, message, status } = (await of.job()).job;
      return { size: result?.size, contentType: result?.contentType, progress, message, status };
    };
    expect(await ended(world)).toEqual(await ended(single));
  });

  test('says which step runs, and sums up what ranges have read', async () => {
    const world = await worldWith(variant);
    const ranges = await world.toMap();
    expect(ranges.length).toBeGreaterThan(5);
    const before = (await world.job()).job.progress?.fraction ?? 0;
    for (const range of [...ranges].reverse()) await world.profile(range);
    const { job, ranges: done } = await world.job();
    expect(job.step?.name).toBe('profile');
    expect(job.progress).toMatchObject({ done: FILE.byteLength, total: FILE.byteLength, unit: 'bytes' });
    expect(before).toBeGreaterThan(0);
    expect(job.progress?.fraction).toBeCloseTo(variant === 'step-functions' ? 0.9 : 12 / 13, 5);
    expect(done?.reduce((sum, [, rows]) => sum + rows, 0)).toBe(40);
    const names = new Set(world.states.flatMap((state) => state.job.step?.name ?? []));
    expect([...names]).toEqual([...(variant === 'step-functions' ? [] : ['fetch']), 'inspect', 'profile']);
    expectFractionsInOrder(world);
  });

  test('an upload that told of its progress leaves the steps the rest', async () => {
    const world = await worldWith(variant);
    await world.jobs.change(world.record.job.id, {
      at: world.at(),
      within: ['queued'],
      set: { uploadShare: 0.5, progress: { fraction: 0.5 } },
    });
    const [first] = await world.toMap();
    await world.profile(first ?? 0);
    const { progress } = (await world.job()).job;
    expect(progress?.fraction).toBeGreaterThan(0.6);
    expect(progress?.fraction).toBeLessThan(0.85);
    expectFractionsInOrder(world);
  });

  test('what is wrong with the file is said word for word, and files are removed', async () => {
    const bytes = Buffer.from([0x61, 0x2c, 0x62, 0x0a, 0xff, 0xfe, 0x00, 0x01]);
    const world = await worldWith(variant, bytes);
    const expected = await resultInOnePass([bytes], LIMITS).catch((error: unknown) => error);
    expect(await world.execute()).toBe('failed');
    const { error, status } = (await world.job()).job;
    expect(status).toBe('failed');
    expect(expected).toMatchObject({ code: error?.code, title: error?.title, retryable: error?.retryable });
    expect(error?.code).toBe('not-csv');
    expect(world.files).toEqual([]);
    expect(world.telemetry.sum('JobsFailed')).toBe(1);
  });

  test('a plan or a profile that is damaged or lost is processing-failed', async () => {
    for (const harm of ['plan', 'range-1']) {
      const world = await worldWith(variant);
      const ranges = await world.toMap();
      for (const range of ranges) await world.profile(range);
      await world.workspace.write(world.execution, harm, Buffer.from('{'));
      const thrown = await world.merge().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ name: 'StepFailed' });
      await world.caught(thrown);
      expect((await world.job()).job).toMatchObject({
        status: 'failed',
        error: { code: 'processing-failed' },
      });
      expect(world.files).toEqual([]);
      expect(world.telemetry.messages('error').length).toBeGreaterThan(0);
    }
    const world = await worldWith(variant);
    await world.toMap();
    await expect(world.merge()).rejects.toMatchObject({ name: 'StepFailed' });
  });

  test.each(['inspect', 'profile', 'merge'] as const)('time-limit where %s takes too long', async (step) => {
    const world = await worldWith(variant);
    const ranges = await world.toMap();
    if (step === 'merge') for (const range of ranges) await world.profile(range);
    world.timeout = 10_001;
    const { workspace, uploads } = world;
    const slow = async () => new Readable({ read: () => undefined });
    uploads.open = slow;
    workspace.open = slow;
    if (step === 'merge') {
      workspace.read = async () => {
        world.clock.advance(1);
        return Uint8Array.of();
      };
    }
    const thrown = await world
      .whileTimePasses(() => (step === 'profile' ? world.profile(0) : world[step]()))
      .catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'StepTimedOut' });
    await world.caught(thrown);
    expect((await world.job()).job.error).toEqual(WORKFLOW_TIME_LIMIT_ERROR);
    expect(world.files).toEqual([]);
  });

  test('a service that is away makes a step be tried again, and the job tells that it broke off', async () => {
    const world = await worldWith(variant);
    await world.toMap();
    world.workspace.write = async () => {
      throw new UnavailableError('S3');
    };
    const thrown = await world.whileTimePasses(() => world.profile(0)).catch((error: unknown) => error);
    expect(thrown).toMatchObject({ name: 'UnavailableError' });
    expect((await world.job()).job.status).toBe('running');
    await world.caught(thrown);
    expect((await world.job()).job).toMatchObject({
      status: 'failed',
      error: { code: 'processor-lost', retryable: true },
    });
  });

  test('cancelled in the Map: steps stop within seconds, and nothing is left', async () => {
    const world = await worldWith(variant);
    const [one = 0, other = 1] = await world.toMap();
    await world.profile(other);
    const hanging = async () => new Readable({ read: () => undefined });
    world.uploads.open = hanging;
    world.workspace.open = hanging;
    const stopped = world.profile(one).catch((error: unknown) => error);
    await turn();
    await world.jobs.change(world.record.job.id, { at: world.at(), to: 'cancelled' });
    world.clock.advance(2_000);
    expect(await stopped).toMatchObject({ name: 'StepStopped' });
    expect(world.files).toEqual([]);
    await expect(world.merge()).rejects.toMatchObject({ name: 'StepStopped' });
    await world.caught(await stopped);
    await world.ended('ABORTED', { error: 'Stopped', cause: 'The job has ended otherwise' });
    expect((await world.job()).job.status).toBe('cancelled');
    expect(world.telemetry.sum('JobsFailed')).toBe(0);
    expect(world.clock.pending).toBe(0);
  });

  test('what a step writes after the job ended, it removes itself', async () => {
    const world = await worldWith(variant);
    await world.toMap();
    const write = world.workspace.write.bind(world.workspace);
    world.workspace.write = async (...written) => {
      await world.ended('ABORTED'); // removes the files of the execution
      await write(...written);
    };
    await expect(world.profile(0)).rejects.toMatchObject({ name: 'StepStopped' });
    expect(world.files).toEqual([]);
    expect((await world.job()).job.status).toBe('failed');
  });

  test('a range that is begun again takes nothing back, and comes to the same', async () => {
    const world = await worldWith(variant);
    const ranges = await world.toMap();
    const [first = 0] = ranges;
    for (const range of ranges) await world.profile(range);
    const open = world.uploads.open.bind(world.uploads);
    const openFile = world.workspace.open.bind(world.workspace);
    const broken = async (whole: Readable) => {
      const [chunk] = await whole.toArray();
      async function* content() {
        yield Buffer.from(chunk).subarray(0, 30);
        throw new UnavailableError('S3');
      }
      return Readable.from(content(), { objectMode: false });
    };
    world.uploads.open = async (...wanted) => broken(await open(...wanted));
    world.workspace.open = async (...wanted) => broken(await openFile(...wanted));
    await expect(world.profile(first)).rejects.toBeInstanceOf(UnavailableError);
    const [bytes] = (await world.job()).ranges?.[first] ?? [0];
    expect(bytes).toBeGreaterThan(30);
    world.uploads.open = open;
    world.workspace.open = openFile;
    await world.profile(first);
    await world.merge();
    expectFractionsInOrder(world);
    expect(Buffer.from(world.results.resultOf(world.record)?.body ?? []).toString()).toBe(
      (await resultInOnePass([FILE], LIMITS)).body,
    );
  });

  test('merge, repeated after its answer was lost, changes nothing and ends well', async () => {
    const world = await worldWith(variant);
    for (const range of await world.toMap()) await world.profile(range);
    const remove = world.workspace.remove.bind(world.workspace);
    world.workspace.remove = async () => {
      throw new UnavailableError('S3');
    };
    await expect(world.whileTimePasses(() => world.merge())).rejects.toBeInstanceOf(UnavailableError);
    world.workspace.remove = remove;
    const { job } = await world.job();
    expect(job.status).toBe('succeeded');
    expect(world.files).not.toEqual([]);
    expect(await world.merge()).toEqual({});
    expect(world.files).toEqual([]);
    await world.caught(new Error('whatever'));
    expect((await world.job()).job).toEqual(job);
  });
});

describe('begin', () => {
  test('repeated under the same name has the job again', async () => {
    const world = await worldWith('step-functions');
    expect(await world.begin()).toEqual({ outcome: 'claimed' });
    expect(await world.begin()).toEqual({ outcome: 'claimed' });
    const { job, execution } = await world.job();
    expect([job.status, execution?.id]).toEqual(['running', world.execution]);
    expect(job.history.filter(({ status }) => status === 'running')).toHaveLength(1);
  });

  test('drops a job that was cancelled, ended, or made anew', async () => {
    const world = await worldWith('step-functions');
    await world.jobs.change(world.record.job.id, { at: world.at(), to: 'cancelled' });
    expect(await world.execute()).toBe('dropped');
    const gone = await worldWith('step-functions');
    gone.jobs.forget(gone.record.job.id);
    expect(await gone.begin()).toEqual({ outcome: 'drop' });
  });

  test('ends a job of a kind that has no steps, and says so', async () => {
    const world = new WorkflowWorld();
    await world.queue(FILE, 'another-kind');
    expect(await world.execute()).toBe('failed');
    expect((await world.job()).job.error).toMatchObject({ code: 'unknown-kind' });
  });

  test('works without a deadline, and is tried again without a table', async () => {
    const world = await worldWith('step-functions');
    world.deadlines.failNext(...Array.from({ length: 30 }, () => new UnavailableError('SQS')));
    expect(await world.whileTimePasses(() => world.begin())).toEqual({ outcome: 'claimed' });
    expect(world.telemetry.messages('error')).toEqual(['a stall of this job will be noticed late']);
    world.jobs.before = async () => new UnavailableError('DynamoDB');
    world.timeout = 30_000;
    await expect(world.whileTimePasses(() => world.begin())).rejects.toBeInstanceOf(UnavailableError);
  });
});

test.each([
  ['begin', 30_000],
  ['fail', 120_000],
  ['merge', 900_000],
] as const)(
  '%s tries the table for the last time when its state still waits for it',
  async (step, timeout) => {
    const world = await worldWith('step-functions');
    if (step !== 'begin') for (const range of await world.toMap()) await world.profile(range);
    world.timeout = timeout;
    const began = world.clock.now();
    let tried = began;
    let isOver = false;
    // The end of the job: what comes before it in `merge` tries less long.
    const change = world.jobs.change.bind(world.jobs);
    world.jobs.change = async (job, wanted) => {
      if (wanted.to === undefined) return change(job, wanted);
      expect(isOver).toBe(false);
      tried = world.clock.now();
      throw new UnavailableError('DynamoDB');
    };
    const invoked = () => (step === 'fail' ? world.ended('ABORTED') : world[step]());
    await expect(world.whileTimePasses(invoked)).rejects.toBeInstanceOf(UnavailableError);
    isOver = true;
    // A request takes up to 12 seconds, and states give up 5 seconds before their functions' ends.
    expect(tried - began).toBeLessThanOrEqual(timeout - 17_000);
    expect(tried - began).toBeGreaterThan(timeout - 25_000);
  },
);

test('steps of an execution that lost its job stop', async () => {
  const world = await worldWith('step-functions');
  await world.toMap();
  await world.jobs.change(world.record.job.id, {
    at: world.at(),
    within: ['running'],
    set: { execution: { id: 'another', aliveUntil: world.at() } },
  });
  await expect(world.profile(0)).rejects.toMatchObject({ name: 'StepStopped' });
  world.jobs.forget(world.record.job.id);
  await expect(world.inspect()).rejects.toMatchObject({ name: 'StepStopped' });
});

test('an upload that was overwritten is object-changed', async () => {
  const world = await worldWith('step-functions');
  await world.toMap();
  world.uploads.put(world.record, 'a,b\n1,2\n');
  const thrown = await world.profile(0).catch((error: unknown) => error);
  await world.caught(thrown);
  expect((await world.job()).job.error).toMatchObject({ code: 'object-changed', retryable: true });
});

describe('what was abandoned', () => {
  async function worldWithRemains(...executions: readonly string[]): Promise<WorkflowWorld> {
    const world = await worldWith('step-functions-efs');
    for (const execution of executions) await world.workspace.write(execution, 'plan', Buffer.from('x'));
    return world;
  }
  const tidy = (world: WorkflowWorld) =>
    world.whileTimePasses(() => removeAbandonedFiles(world.clock.now() + world.timeout, world.parts));

  test('is removed by fetch after a day', async () => {
    const world = await worldWithRemains('one', 'other');
    await tidy(world);
    expect(world.workspace.filesOf('one')).toEqual(['plan']);
    world.clock.advance(25 * 3_600_000);
    await tidy(world);
    expect([...world.workspace.filesOf('one'), ...world.workspace.filesOf('other')]).toEqual([]);
    expect(world.clock.pending).toBe(0);
  });

  test('and cannot be removed keeps nothing else', async () => {
    const world = await worldWithRemains('one', 'stuck', 'other');
    world.clock.advance(25 * 3_600_000);
    const remove = world.workspace.remove.bind(world.workspace);
    world.workspace.remove = async (execution) => {
      if (execution === 'stuck') throw new RefusedError('the file system', 'EACCES');
      await remove(execution);
    };
    await tidy(world);
    expect(['one', 'stuck', 'other'].map((one) => world.workspace.filesOf(one).length)).toEqual([0, 1, 0]);
    expect(world.telemetry.messages('warn')).toEqual(['abandoned files are left for the next time']);
  });

  test('is left where the file system is away, or does not answer', async () => {
    const world = await worldWithRemains('one');
    world.workspace.abandoned = async () => Promise.reject(new UnavailableError('the file system'));
    await tidy(world);
    expect(world.telemetry.messages('warn')).toEqual(['abandoned files could not be looked for']);
    world.workspace.abandoned = () => new Promise<never>(() => undefined);
    for (const [timeout, longest] of [
      [900_000, 30_000],
      [20_000, 2_000],
      [5_000, 500],
    ] as const) {
      world.timeout = timeout;
      const began = world.clock.now();
      await tidy(world);
      expect(world.clock.now() - began).toBeLessThanOrEqual(longest);
    }
    expect(world.clock.pending).toBe(0);
  });
});
