import { Readable } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { beforeEach, describe, expect, test } from 'vitest';
import { ObjectChangedError, UnavailableError } from '../../../handlers/errors.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemoryResults } from '../../../handlers/memory/memory-results.ts';
import { MemoryUploads } from '../../../handlers/memory/memory-uploads.ts';
import type { JobRecord } from '../../../handlers/ports.ts';
import { PROFILING_LIMITS } from '../../../handlers/process/csv-profile/profiling-limits.ts';
import { ProcessingError, type Processor, type ProcessorInput } from '../../../handlers/process/processor.ts';
import { processorsWithin } from '../../../handlers/process/processors.ts';
import { aliveExecution } from '../../../handlers/process/progress-reporter.ts';
import { type RunJobParts, runJob } from '../../../handlers/process/run-job.ts';
import { WorkStoppedError } from '../../../handlers/process/work-stopped.ts';
import type { Deadline } from '../../../handlers/queue-messages.ts';
import { KINDS } from '../../../protocol/kinds.ts';
import { sampleNewJob } from '../../conformance/sample-jobs.ts';
import { ManualClock } from '../../local/manual-clock.ts';
import { FaultyJobs } from './faulty-jobs.ts';
import { RecordedTelemetry } from './recorded-telemetry.ts';

let clock: ManualClock;
let jobs: FaultyJobs;
let uploads: MemoryUploads;
let results: MemoryResults;
let deadlines: MemoryQueue<Deadline>;
let telemetry: RecordedTelemetry;
let record: JobRecord;
let executions = 0;

beforeEach(async () => {
  clock = new ManualClock();
  jobs = new FaultyJobs();
  uploads = new MemoryUploads();
  results = new MemoryResults();
  deadlines = new MemoryQueue();
  telemetry = new RecordedTelemetry();
  const made = await jobs.create(sampleNewJob());
  const { tag } = uploads.put(made, 'a,b\n1,2\n3,4\n');
  record = await jobs.change(made.job.id, { at: at(), to: 'queued', set: { objectTag: tag } });
});

function at(): string {
  return new Date(clock.now()).toISOString();
}

function parts(
  process?: (input: ProcessorInput) => Promise<{ body: string | Uint8Array; contentType: string }>,
): RunJobParts {
  const processor: Processor | undefined = process && { kind: 'csv-profile', process };
  return {
    jobs,
    uploads,
    results,
    deadlines,
    processors: processor === undefined ? processorsWithin(PROFILING_LIMITS) : { 'csv-profile': processor },
    clock,
    log: telemetry.log,
    meter: telemetry.meter,
    newExecution: () => `execution ${++executions}`,
    random: () => 0.5,
  };
}

function run(process?: Parameters<typeof parts>[0], changed: Partial<RunJobParts> = {}) {
  const { id: job, epoch } = record.job;
  return runJob({ job, epoch }, clock.now() + 900_000, { ...parts(process), ...changed });
}

/** Runs and lets time pass until the run has ended; at most 20 minutes. */
async function runWhileTimePasses(...arguments_: Parameters<typeof run>): Promise<'done' | 'keep'> {
  let ended = false;
  const running = run(...arguments_).finally(() => {
    ended = true;
  });
  for (let passed = 0; !ended && passed < 1_200_000; passed += 500) {
    await turn();
    if (!ended) clock.advance(500);
  }
  return running;
}

async function job() {
  const found = (await jobs.readMany([record.job.id]))[0];
  if (found === undefined) throw new Error('the job is gone');
  return found.job;
}

/** An upload that breaks off after its first row. */
async function brokenBy(error: Error): Promise<Readable> {
  async function* content() {
    yield Buffer.from('a,b\n1,2\n');
    throw error;
  }
  return Readable.from(content(), { objectMode: false });
}

const never = () => new Promise<never>(() => {});
const text = (body: string) => async () => ({ body, contentType: 'text/plain' });

test('every kind has the processor that says so', () => {
  for (const kind of KINDS) expect(processorsWithin(PROFILING_LIMITS)[kind].kind).toBe(kind);
});

describe('success', () => {
  test('from the message to the result', async () => {
    expect(await run()).toBe('done');
    const { status, progress, result, history, startedAt, finishedAt, id } = await job();
    expect(status).toBe('succeeded');
    expect(progress).toEqual({ done: 12, total: 12, unit: 'bytes', fraction: 1 });
    expect(history.map((entry) => entry.status)).toEqual([
      'awaiting-upload',
      'queued',
      'running',
      'succeeded',
    ]);
    expect([startedAt, finishedAt]).toEqual([at(), at()]);
    const written = results.resultOf(record);
    expect(result).toEqual({
      href: `/jobs/${id}/result`,
      contentType: 'application/json',
      size: written?.body.byteLength,
    });
    expect(JSON.parse(Buffer.from(written?.body ?? []).toString())).toMatchObject({ rows: 2 });
    expect(deadlines.waiting).toEqual([
      {
        message: { job: id, epoch: record.job.epoch, execution: `execution ${executions}` },
        delaySeconds: 60,
      },
    ]);
    expect(telemetry.sum('JobsSucceeded')).toBe(1);
    expect(clock.pending).toBe(0);
  });

  test('the last report goes into the last write', async () => {
    await run(async ({ report }) => {
      report({ message: 'first' });
      report({ message: 'last', step: { name: 'end', index: 2, count: 2 } });
      return { body: Uint8Array.of(1), contentType: 'application/octet-stream' };
    });
    expect(await job()).toMatchObject({ status: 'succeeded', message: 'last', step: { name: 'end' } });
  });
});

describe('one execution', () => {
  test('of two that get the message, one works', async () => {
    let runs = 0;
    const count = async () => {
      runs += 1;
      return { body: 'x', contentType: 'text/plain' };
    };
    const answers = await Promise.all([run(count), run(count)]);
    expect(runs).toBe(1);
    expect(answers).toContain('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('a job under an execution that is alive is left to it, and the message kept', async () => {
    await jobs.change(record.job.id, {
      at: at(),
      to: 'running',
      set: { execution: aliveExecution('another', clock.now()) },
    });
    expect(await run(text('x'))).toBe('keep');
    expect((await job()).status).toBe('running');
  });

  test('a job under an execution that died is taken over', async () => {
    await jobs.change(record.job.id, {
      at: at(),
      to: 'running',
      set: { execution: aliveExecution('another', clock.now()), progress: { fraction: 0.5 } },
    });
    clock.advance(60_001);
    expect(await run(text('x'))).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('a take-over that comes a moment late changes nothing', async () => {
    await jobs.change(record.job.id, {
      at: at(),
      to: 'running',
      set: { execution: aliveExecution('another', clock.now()) },
    });
    clock.advance(60_001);
    jobs.before = async (change) => {
      if (change.seq === undefined) return undefined;
      jobs.before = async () => undefined;
      await jobs.change(record.job.id, {
        at: at(),
        within: ['running'],
        execution: 'another',
        set: { message: 'alive' },
      });
      return undefined;
    };
    expect(await run(text('x'))).toBe('keep');
    expect(await job()).toMatchObject({ status: 'running', message: 'alive' });
  });

  test.each(['cancelled', 'failed'] as const)('a job that is %s is done with', async (to) => {
    await jobs.change(record.job.id, { at: at(), to });
    expect(await run(text('x'))).toBe('done');
    expect((await job()).status).toBe(to);
  });

  test('a job that is gone, or made anew, is done with', async () => {
    expect(
      await runJob({ job: record.job.id, epoch: sampleNewJob().epoch }, clock.now() + 900_000, parts()),
    ).toBe('done');
    jobs.forget(record.job.id);
    expect(await run(text('x'))).toBe('done');
  });
});

describe('failure', () => {
  async function errorAfter(...arguments_: Parameters<typeof run>) {
    expect(await runWhileTimePasses(...arguments_)).toBe('done');
    const { status, error } = await job();
    expect(status).toBe('failed');
    return error;
  }

  test('what the processor says of its input is shown', async () => {
    const failure = { code: 'unreadable-row', title: 'A row', detail: 'line 3', retryable: false };
    expect(await errorAfter(() => Promise.reject(new ProcessingError(failure)))).toEqual(failure);
  });

  test('anything else is not shown, but logged', async () => {
    const error = await errorAfter(() => Promise.reject(new Error('password=secret at /var/task')));
    expect(error).toMatchObject({ code: 'processing-failed', retryable: false });
    expect(JSON.stringify(await job())).not.toContain('secret');
    expect(telemetry.lines.find(({ level }) => level === 'error')?.fields).toMatchObject({
      error: { message: 'password=secret at /var/task' },
    });
  });

  test('a processor that throws at once', async () => {
    const error = await errorAfter(() => {
      throw new TypeError('undefined is not a function');
    });
    expect(error?.code).toBe('processing-failed');
  });

  test('a job error that is too large for a job, or a content type that is none', async () => {
    const huge = new ProcessingError({ code: 'x', title: 'x'.repeat(1000), retryable: true });
    expect((await errorAfter(() => Promise.reject(huge)))?.code).toBe('processing-failed');
  });

  test('a content type that is none', async () => {
    expect((await errorAfter(async () => ({ body: '', contentType: 'no type' })))?.code).toBe(
      'processing-failed',
    );
  });

  test('a report that no job can hold fails the work that made it, unless it is caught', async () => {
    const error = await errorAfter(async ({ report }) => {
      report({ message: 'x'.repeat(5_000) });
      return { body: '', contentType: 'text/plain' };
    });
    expect(error?.code).toBe('processing-failed');
  });

  test('an object that was overwritten', async () => {
    uploads.put(record, 'something else');
    expect(await errorAfter(text('x'))).toMatchObject({ code: 'object-changed' });
  });

  test('an object that is not there', async () => {
    expect((await errorAfter(text('x'), { uploads: new MemoryUploads() }))?.code).toBe('object-missing');
  });

  test('an upload that breaks off in the middle', async () => {
    class Broken extends MemoryUploads {
      override async open() {
        return Readable.from(
          (async function* () {
            yield Buffer.from('a,b\n1,2\n');
            throw new Error('ECONNRESET at 10.0.0.1');
          })(),
          { objectMode: false },
        );
      }
    }
    expect(await errorAfter(undefined, { uploads: new Broken() })).toMatchObject({
      code: 'upload-unreadable',
      retryable: true,
    });
  });

  test('an upload that is overwritten while it is read', async () => {
    class Overwritten extends MemoryUploads {
      override open = () => brokenBy(new ObjectChangedError('key'));
    }
    expect(await errorAfter(undefined, { uploads: new Overwritten() })).toMatchObject({
      code: 'object-changed',
    });
  });

  test('an object that changes while it is read', async () => {
    class Changing extends MemoryUploads {
      override open(): Promise<Readable> {
        return Promise.reject(new ObjectChangedError('key'));
      }
    }
    expect((await errorAfter(text('x'), { uploads: new Changing() }))?.code).toBe('object-changed');
  });

  test('the time is up ten seconds before the function ends, even if the processor does not listen', async () => {
    const started = clock.now();
    let reason: unknown;
    const error = await errorAfter((input) => {
      input.signal.addEventListener('abort', () => {
        reason = input.signal.reason;
      });
      return never();
    });
    expect(error).toMatchObject({ code: 'time-limit', retryable: false });
    expect(reason).toBeInstanceOf(WorkStoppedError);
    expect(Date.parse((await job()).finishedAt ?? '')).toBe(started + 890_000);
    expect(clock.pending).toBe(0);
  });
});

describe('cancellation', () => {
  test('stops the work, leaves the job cancelled, and the message is done with', async () => {
    let aborted = false;
    const cancelAfterStart = async ({ signal }: ProcessorInput): Promise<never> => {
      signal.addEventListener('abort', () => {
        aborted = true;
      });
      await jobs.change(record.job.id, { at: at(), to: 'cancelled' });
      return never();
    };
    expect(await runWhileTimePasses(cancelAfterStart)).toBe('done');
    expect(aborted).toBe(true);
    expect((await job()).status).toBe('cancelled');
    expect(results.resultOf(record)).toBeUndefined();
  });

  test('at the last moment, the result is not announced', async () => {
    const process = async () => {
      await jobs.change(record.job.id, { at: at(), to: 'cancelled' });
      return { body: 'x', contentType: 'text/plain' };
    };
    expect(await run(process)).toBe('done');
    expect(await job()).not.toHaveProperty('result');
  });

  test('by another execution: the message is kept for it', async () => {
    const process = async (): Promise<never> => {
      await jobs.change(record.job.id, {
        at: at(),
        within: ['running'],
        set: { execution: aliveExecution('another', clock.now()) },
      });
      return never();
    };
    expect(await runWhileTimePasses(process)).toBe('keep');
    expect((await job()).status).toBe('running');
  });
});

describe('services that are not available', () => {
  const unavailable = new UnavailableError('DynamoDB');

  test('S3, in the middle of the upload: the job is left for another execution, which ends it', async () => {
    class Unavailable extends MemoryUploads {
      override open = () => brokenBy(new UnavailableError('S3'));
    }
    expect(await runWhileTimePasses(undefined, { uploads: new Unavailable() })).toBe('keep');
    expect((await job()).status).toBe('running');
    const wrapping = async ({ body }: ProcessorInput): Promise<never> => {
      for await (const _ of body.on('error', () => {}));
      throw new ProcessingError({ code: 'broken', title: 'Broken', retryable: false });
    };
    clock.advance(60_001);
    expect(await runWhileTimePasses(wrapping, { uploads: new Unavailable() })).toBe('keep');
    clock.advance(60_001);
    expect(await runWhileTimePasses()).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('at the claim: tried again for two minutes, then the message is kept', async () => {
    const startedAt = clock.now();
    jobs.before = async () => unavailable;
    expect(await runWhileTimePasses(text('x'))).toBe('keep');
    expect((await job()).status).toBe('queued');
    expect(clock.now() - startedAt).toBeGreaterThan(110_000);
    expect(clock.now() - startedAt).toBeLessThanOrEqual(120_000);
  });

  test('at the claim, for a minute and a half: the job is done all the same', async () => {
    const startedAt = clock.now();
    jobs.before = async () => (clock.now() - startedAt < 90_000 ? unavailable : undefined);
    expect(await runWhileTimePasses(text('x'))).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('at the claim, where the function has little time: it gives up ten seconds before its end', async () => {
    const endsAt = clock.now() + 30_000;
    jobs.before = async () => unavailable;
    const { id, epoch } = record.job;
    let answer: string | undefined;
    void runJob({ job: id, epoch }, endsAt, parts()).then((said) => {
      answer = said;
    });
    for (let passed = 0; answer === undefined && passed < 60_000; passed += 500) {
      await turn();
      if (answer === undefined) clock.advance(500);
    }
    expect(answer).toBe('keep');
    expect(clock.now()).toBeLessThanOrEqual(endsAt - 10_000);
  });

  test('the answer to the claim is lost: the claim holds', async () => {
    jobs.after = ({ to }) => {
      jobs.after = () => undefined;
      return to === 'running' ? unavailable : undefined;
    };
    expect(await runWhileTimePasses(text('x'))).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('at the end: tried until it is written', async () => {
    let failures = 20;
    jobs.before = async ({ to }) => (to === 'succeeded' && failures-- > 0 ? unavailable : undefined);
    expect(await runWhileTimePasses(text('x'))).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('the answer to the end is lost: it counts', async () => {
    let losses = 0;
    jobs.after = ({ to }) => (to === 'succeeded' && losses++ === 0 ? unavailable : undefined);
    expect(await runWhileTimePasses(text('x'))).toBe('done');
    expect(losses).toBe(2);
    expect((await job()).status).toBe('succeeded');
  });

  test('at the end, until the function ends: the message is kept, and another execution takes over', async () => {
    jobs.before = async ({ to }) => (to === 'succeeded' ? unavailable : undefined);
    expect(await runWhileTimePasses(text('x'))).toBe('keep');
    expect((await job()).status).toBe('running');
    jobs.before = async () => undefined;
    clock.advance(60_000);
    expect(await runWhileTimePasses(text('x'))).toBe('done');
  });

  test('the bucket of results, for a while', async () => {
    let failures = 3;
    class Faulty extends MemoryResults {
      override async write(...arguments_: Parameters<MemoryResults['write']>): Promise<void> {
        if (failures-- > 0) throw new UnavailableError('S3');
        return super.write(...arguments_);
      }
    }
    expect(await runWhileTimePasses(text('x'), { results: new Faulty() })).toBe('done');
    expect((await job()).status).toBe('succeeded');
  });

  test('the deadlines queue, for a moment: the work begins when somebody is there to look', async () => {
    deadlines.failNext(...Array.from({ length: 3 }, () => unavailable));
    let waiting: number | undefined;
    const process = async () => {
      waiting = deadlines.waiting.length;
      return { body: 'x', contentType: 'text/plain' };
    };
    expect(await runWhileTimePasses(process)).toBe('done');
    expect(waiting).toBe(1);
  });

  test('the deadlines queue, for long: the work begins after ten seconds, and is done', async () => {
    const startedAt = clock.now();
    deadlines.send = async () => {
      throw unavailable;
    };
    let begunAt = Number.POSITIVE_INFINITY;
    const process = async () => {
      begunAt = clock.now();
      return { body: 'x', contentType: 'text/plain' };
    };
    expect(await runWhileTimePasses(process)).toBe('done');
    expect(begunAt - startedAt).toBeLessThanOrEqual(10_000);
    expect(telemetry.lines.map(({ message }) => message)).toContain(
      'a stall of this job will be noticed late',
    );
  });
});
