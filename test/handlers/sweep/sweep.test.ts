import { beforeEach, describe, expect, test } from 'vitest';
import { MalformedDataError, UnavailableError } from '../../../handlers/errors.ts';
import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemoryUploads } from '../../../handlers/memory/memory-uploads.ts';
import type { JobRecord } from '../../../handlers/ports.ts';
import type { Deadline, Work } from '../../../handlers/queue-messages.ts';
import { QUEUED_SECONDS, REDELIVERY_SECONDS } from '../../../handlers/sweep/due.ts';
import { type SweepParts, sweep } from '../../../handlers/sweep/sweep.ts';
import { sampleNewJob, secondsLater } from '../../conformance/sample-jobs.ts';
import { RecordedTelemetry } from '../process/recorded-telemetry.ts';

let jobs: MemoryJobs;
let uploads: MemoryUploads;
let work: MemoryQueue<Work>;
let deadlines: MemoryQueue<Deadline>;
let telemetry: RecordedTelemetry;
let record: JobRecord;
/** Seconds since the job was made. */
let now: number;

beforeEach(async () => {
  jobs = new MemoryJobs();
  uploads = new MemoryUploads();
  work = new MemoryQueue();
  deadlines = new MemoryQueue();
  telemetry = new RecordedTelemetry();
  now = 0;
  record = await jobs.create(sampleNewJob());
});

function parts(): SweepParts {
  return {
    jobs,
    uploads,
    work,
    deadlines,
    now: () => new Date(secondsLater(now)),
    log: telemetry.log,
    meter: telemetry.meter,
  };
}

/** A look at the job: one of its life's chain, or of an execution's. */
function look(deadline: Partial<Deadline> = {}): Promise<readonly string[]> {
  const { id, epoch } = record.job;
  return sweep([{ messageId: 'm', message: { job: id, epoch, ...deadline } }], parts());
}

/** Follows the chain until it ends or `until` has passed; answers when it looked. */
async function follow(until: number): Promise<readonly number[]> {
  const looks: number[] = [];
  let next: { message: Deadline; delaySeconds: number } | undefined = {
    message: { job: record.job.id, epoch: record.job.epoch },
    delaySeconds: 0,
  };
  while (next !== undefined && now + next.delaySeconds <= until) {
    now += next.delaySeconds;
    looks.push(now);
    expect(await look(next.message)).toEqual([]);
    const taken = deadlines.take();
    expect(taken.length).toBeLessThan(2);
    next = taken[0];
  }
  return looks;
}

async function job() {
  const found = await jobs.read(record.job.id);
  if (found === undefined) throw new Error('the job is gone');
  return found.job;
}

/** The delay until the next look; undefined when the chain has ended. */
function nextDelay(): number | undefined {
  const taken = deadlines.take();
  expect(taken.length).toBeLessThan(2);
  return taken[0]?.delaySeconds;
}

async function queue(): Promise<void> {
  await jobs.change(record.job.id, { at: secondsLater(now), to: 'queued', set: { objectTag: '"tag"' } });
}

async function hear(seconds: number, message?: string): Promise<void> {
  now = seconds;
  const { status } = await job();
  await jobs.change(record.job.id, {
    at: secondsLater(now),
    ...(status === 'queued' ? { to: 'running' as const } : { within: ['running'] }),
    set: {
      execution: { id: 'one', aliveUntil: secondsLater(now + 60) },
      ...(message === undefined ? {} : { message }),
    },
  });
}

describe('awaiting-upload', () => {
  test('expires when the time for the upload is over, and not before', async () => {
    now = 899.5;
    expect(await look()).toEqual([]);
    expect((await job()).status).toBe('awaiting-upload');
    expect(nextDelay()).toBe(1);
    now = 900;
    await look();
    expect(await job()).toMatchObject({
      status: 'expired',
      error: { code: 'upload-missing', retryable: true },
    });
    expect(nextDelay()).toBeUndefined();
  });

  test('gives the parts of the upload up, and expires the job also where S3 does not answer', async () => {
    for (const answers of [true, false]) {
      uploads = new MemoryUploads();
      const newJob = sampleNewJob({ upload: 'multipart' });
      const uploadId = await uploads.begin(newJob);
      record = await jobs.create({ ...newJob, uploadId });
      if (!answers) {
        uploads.abort = async () => {
          throw new UnavailableError('S3');
        };
      }
      now = 900;
      expect(await look()).toEqual([]);
      expect((await job()).status).toBe('expired');
      expect(uploads.begun).toEqual(answers ? [] : [uploadId]);
    }
  });

  test('the next look is when it is due, but at most 15 minutes away', async () => {
    record = await jobs.create(sampleNewJob({ uploadUntil: secondsLater(3_000) }));
    now = 100;
    await look();
    expect(nextDelay()).toBe(900);
    now = 2_500;
    await look();
    expect(nextDelay()).toBe(500);
  });

  test('the chain goes on when the upload has come, since no other looks at the job', async () => {
    await queue();
    now = 5_000;
    await look();
    expect((await job()).status).toBe('queued');
    expect(nextDelay()).toBe(900);
  });
});

describe('queued', () => {
  test('fails when no worker took it for as long as the work queue keeps a message', async () => {
    now = 50;
    await queue();
    now = 50 + QUEUED_SECONDS - 1;
    await look();
    expect(nextDelay()).toBe(1);
    now += 1;
    await look();
    expect(await job()).toMatchObject({ status: 'failed', error: { code: 'not-started', retryable: true } });
    expect(nextDelay()).toBeUndefined();
  });
});

describe('one chain for the whole life of a job', () => {
  test('ends a job that nobody ever moved on from queued', async () => {
    now = 30;
    await queue();
    await follow(8 * 3600);
    expect(await job()).toMatchObject({ status: 'failed', error: { code: 'not-started' } });
    expect(now).toBe(30 + QUEUED_SECONDS);
  });

  test('ends a job whose execution died before it had sent a deadline', async () => {
    await queue();
    await hear(10);
    now = 0;
    const looks = await follow(8 * 3600);
    expect(await job()).toMatchObject({ status: 'failed', error: { code: 'processor-lost' } });
    // Every 15 minutes: it is the chain of the execution that looks each minute.
    expect(looks).toEqual([0, 900, 1_800]);
  });

  test('sends work again for a job that waits long: after 15 minutes, then each hour', async () => {
    now = 100;
    await queue();
    now = 0;
    const sent: number[] = [];
    const send = work.send.bind(work);
    work.send = async (...message) => {
      sent.push(now);
      await send(...message);
    };
    await follow(4 * 3600);
    expect(sent).toEqual([1_800, 5_400, 9_000, 12_600]);
    expect(work.take().map(({ message }) => message)).toContainEqual({
      job: record.job.id,
      epoch: record.job.epoch,
    });
    expect((await job()).status).toBe('queued');
  });

  test('sends no work for an upload that was never found to be what was announced', async () => {
    await jobs.change(record.job.id, { at: secondsLater(0), to: 'queued' });
    now = 3_000;
    await look();
    expect(work.waiting).toEqual([]);
    expect(nextDelay()).toBe(900);
  });

  test('a work queue that is not available: the message comes again, and the work is sent then', async () => {
    await queue();
    now = 1_000;
    work.failNext(new UnavailableError('SQS'));
    expect(await look()).toEqual(['m']);
    expect(nextDelay()).toBeUndefined();
    expect(await look()).toEqual([]);
    expect(work.waiting).toHaveLength(1);
  });
});

describe('the chain of an execution', () => {
  test('ends when another execution has taken over, which has a chain of its own', async () => {
    await queue();
    await hear(10);
    now = 20;
    await look({ execution: 'another' });
    expect(nextDelay()).toBeUndefined();
    await look({ execution: 'one' });
    expect(nextDelay()).toBe(50);
  });
});

describe('running', () => {
  beforeEach(async () => {
    await queue();
    await hear(10);
  });

  test('is stalled after a minute of silence, and cleared by the next word', async () => {
    now = 69;
    await look({ execution: 'one' });
    expect((await job()).stalled).toBe(false);
    expect(nextDelay()).toBe(1);
    now = 70;
    await look({ execution: 'one' });
    expect(await job()).toMatchObject({ status: 'running', stalled: true });
    expect(nextDelay()).toBe(60);
    await hear(100, 'back');
    expect(await job()).toMatchObject({ stalled: false, message: 'back' });
    now = 130;
    await look({ execution: 'one' });
    expect(nextDelay()).toBe(30);
    now = 160;
    await look({ execution: 'one' });
    expect((await job()).stalled).toBe(true);
  });

  test('stalled is written once', async () => {
    now = 70;
    await look({ execution: 'one' });
    const { seq } = await job();
    now = 130;
    await look({ execution: 'one' });
    expect((await job()).seq).toBe(seq);
  });

  test('fails when the execution died and none took over', async () => {
    now = 70;
    await look({ execution: 'one' });
    nextDelay();
    now = 70 + REDELIVERY_SECONDS - 1;
    await look({ execution: 'one' });
    expect((await job()).status).toBe('running');
    expect(nextDelay()).toBe(1);
    now += 1;
    await look({ execution: 'one' });
    expect(await job()).toMatchObject({
      status: 'failed',
      error: { code: 'processor-lost', retryable: true },
    });
    expect(nextDelay()).toBeUndefined();
  });

  test('leaves nothing of the figures of ranges in a job that is given up', async () => {
    await jobs.change(record.job.id, {
      at: secondsLater(0),
      within: ['running'],
      set: { ranges: [[1, 0]] },
    });
    now = 70 + REDELIVERY_SECONDS;
    await look({ execution: 'one' });
    const ended = await jobs.read(record.job.id);
    expect(ended?.job.status).toBe('failed');
    expect(ended?.ranges).toBeUndefined();
  });

  test('a report at the very moment wins over the stall', async () => {
    now = 70;
    const read = jobs.read.bind(jobs);
    jobs.read = async (id) => {
      const seen = await read(id);
      jobs.read = read;
      await hear(70, 'just in time');
      return seen;
    };
    expect(await look({ execution: 'one' })).toEqual([]);
    expect(await job()).toMatchObject({ stalled: false, message: 'just in time' });
    expect(nextDelay()).toBe(60);
  });

  test('the end of the job at the very moment ends the chain', async () => {
    now = 2_000;
    const read = jobs.read.bind(jobs);
    jobs.read = async (id) => {
      const seen = await read(id);
      jobs.read = read;
      await jobs.change(id, { at: secondsLater(now), to: 'succeeded' });
      return seen;
    };
    expect(await look({ execution: 'one' })).toEqual([]);
    expect((await job()).status).toBe('succeeded');
    expect(nextDelay()).toBeUndefined();
  });
});

describe('what ends a chain, and what keeps a message', () => {
  test.each(['cancelled', 'expired'] as const)('a job that is %s', async (to) => {
    await jobs.change(record.job.id, { at: secondsLater(1), to });
    expect(await look()).toEqual([]);
    expect(nextDelay()).toBeUndefined();
  });

  test('another epoch, and a job that is gone', async () => {
    await look({ epoch: sampleNewJob().epoch });
    expect(nextDelay()).toBeUndefined();
    jobs.forget(record.job.id);
    expect(await look()).toEqual([]);
    expect(nextDelay()).toBeUndefined();
  });

  test('a table or queue that is not available: the message comes again, and nothing is lost', async () => {
    deadlines.failNext(new UnavailableError('SQS'));
    expect(await look()).toEqual(['m']);
    const read = jobs.read.bind(jobs);
    jobs.read = () => Promise.reject(new UnavailableError('DynamoDB'));
    expect(await look()).toEqual(['m']);
    jobs.read = read;
    expect(await look()).toEqual([]);
    expect(nextDelay()).toBe(900);
  });

  test('what is malformed is kept for the dead-letter queue; the rest of the batch goes on', async () => {
    const { id, epoch } = record.job;
    const kept = await sweep(
      [
        { messageId: 'bad', malformed: new MalformedDataError('A body') },
        { messageId: 'good', message: { job: id, epoch } },
      ],
      parts(),
    );
    expect(kept).toEqual(['bad']);
    expect(nextDelay()).toBe(900);
  });
});

describe('where a workflow works on jobs', () => {
  test('the execution of a job that is given up is stopped; of one that is stalled or expired it is not', async () => {
    const stopped: Work[] = [];
    const executions = { stop: async (of: Work) => void stopped.push(of) };
    const { id, epoch } = record.job;
    const lookOnce = () =>
      sweep([{ messageId: 'm', message: { job: id, epoch } }], { ...parts(), executions });
    await queue();
    await hear(10);
    now = 80;
    await lookOnce();
    expect((await job()).stalled).toBe(true);
    expect(stopped).toEqual([]);
    now = 70 + REDELIVERY_SECONDS;
    await lookOnce();
    expect((await job()).error?.code).toBe('processor-lost');
    expect(stopped).toEqual([{ job: id, epoch }]);
  });

  test('a job is given up also where its execution cannot be stopped now', async () => {
    const executions = {
      stop: async () => {
        throw new UnavailableError('Step Functions');
      },
    };
    await queue();
    now = QUEUED_SECONDS;
    const { id, epoch } = record.job;
    const kept = await sweep([{ messageId: 'm', message: { job: id, epoch } }], { ...parts(), executions });
    expect(kept).toEqual([]);
    expect((await job()).error?.code).toBe('not-started');
    expect(telemetry.messages('warn')).toHaveLength(1);
  });
});
