import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../../handlers/errors.ts';
import { CONTENT, EVENT, NEW_JOB, UploadSetting } from './upload-setting.ts';

const RUNNING = { id: 'run-1', aliveUntil: '2026-11-23T12:05:00.000Z' };
const at = '2026-11-23T12:01:00.000Z';

describe('an upload that is as announced', () => {
  test('queues the job and hands it to the process function', async () => {
    const setting = new UploadSetting();
    const record = await setting.createJob();
    const { tag } = setting.uploads.put(record, CONTENT);
    await setting.handle(EVENT);
    expect(await setting.job()).toMatchObject({ objectTag: tag, job: { status: 'queued', seq: 2 } });
    expect(setting.work.waiting).toEqual([{ message: EVENT, delaySeconds: 0 }]);
  });

  test('has its share of the whole, where it told of its progress', async () => {
    const setting = new UploadSetting();
    const record = await setting.createJob();
    await setting.jobs.change(record.job.id, {
      at,
      within: ['awaiting-upload'],
      set: {
        uploadShare: 0.5,
        progress: { done: 6, total: 12, unit: 'bytes', fraction: 0.25 },
        step: { name: 'upload', index: 1, count: 1 },
      },
    });
    setting.uploads.put(record, CONTENT);
    await setting.handle(EVENT);
    const { job } = await setting.job();
    expect(job).toMatchObject({ status: 'queued', progress: { fraction: 0.5 } });
    expect(job.progress).toEqual({ fraction: 0.5 });
    expect(job.step).toBeUndefined();
  });

  test('is the same whatever the case of its content type', async () => {
    const setting = new UploadSetting();
    setting.uploads.put(await setting.createJob(), CONTENT, 'Text/CSV ');
    await setting.handle(EVENT);
    expect((await setting.job()).job.status).toBe('queued');
  });

  test('is sent again by the retry of a function that died before the send', async () => {
    const setting = new UploadSetting();
    setting.uploads.put(await setting.createJob(), CONTENT);
    setting.work.failNext(new UnavailableError('SQS'));
    await expect(setting.handle(EVENT)).rejects.toThrow(UnavailableError);
    expect((await setting.job()).job.status).toBe('queued');
    expect(setting.work.waiting).toEqual([]);
    await setting.handle(EVENT);
    expect(setting.work.waiting).toHaveLength(1);
    expect((await setting.job()).job.seq).toBe(2);
  });

  test('changes nothing any more once the job runs, has ended, or was cancelled', async () => {
    for (const ways of [['running'], ['running', 'succeeded'], ['cancelled']] as const) {
      const setting = new UploadSetting();
      setting.uploads.put(await setting.createJob(), CONTENT);
      await setting.handle(EVENT);
      for (const to of ways) await setting.jobs.change(EVENT.job, { at, to, set: { execution: RUNNING } });
      setting.work.take();
      const before = await setting.job();
      await setting.handle(EVENT);
      expect(await setting.job()).toEqual(before);
      expect(setting.work.waiting).toEqual([]);
    }
  });

  test('counts in its newest version until the work starts', async () => {
    const setting = new UploadSetting();
    const record = await setting.createJob();
    setting.uploads.put(record, CONTENT);
    await setting.handle(EVENT);
    const { tag } = setting.uploads.put(record, CONTENT.replaceAll('1', '9'));
    await setting.handle(EVENT);
    expect(await setting.job()).toMatchObject({ objectTag: tag, job: { status: 'queued', seq: 3 } });
  });
});

test('an older look at the object never undoes a newer one', async () => {
  let meanwhile: (() => Promise<void>) | undefined;
  const setting = new UploadSetting((own) => ({
    uploads: {
      inspect: async (record) => {
        const object = await own.uploads.inspect(record);
        const happening = meanwhile;
        meanwhile = undefined;
        await happening?.();
        return object;
      },
    },
  }));
  const record = await setting.createJob();
  setting.uploads.put(record, CONTENT);
  await setting.handle(EVENT);
  setting.uploads.put(record, CONTENT.replaceAll('1', '8'));
  let newest: string | undefined;
  meanwhile = async () => {
    newest = setting.uploads.put(record, CONTENT.replaceAll('1', '9')).tag;
    await setting.handle(EVENT);
  };
  await setting.handle(EVENT);
  expect(newest).toBeDefined();
  expect((await setting.job()).objectTag).toBe(newest);
});

describe('an upload that is not what was announced', () => {
  test.each([
    ['larger', `${CONTENT}5,6\n`, 'text/csv', 'size-mismatch', '12 bytes announced, 16 bytes uploaded'],
    ['empty', '', 'text/csv', 'size-mismatch', '12 bytes announced, 0 bytes uploaded'],
    ['of another type', CONTENT, 'text/html', 'type-mismatch', 'text/csv announced, text/html uploaded'],
    ['of a type of 9 KB', CONTENT, `x/${'y'.repeat(9_000)}`, 'type-mismatch', undefined],
  ])('%s: the job fails with a typed error and no work is sent', async (_what, body, type, code, detail) => {
    const setting = new UploadSetting();
    setting.uploads.put(await setting.createJob(), body, type);
    await setting.handle(EVENT);
    await setting.handle(EVENT);
    const { job } = await setting.job();
    expect(job.history.map((entry) => entry.status)).toEqual(['awaiting-upload', 'queued', 'failed']);
    expect(job.error).toMatchObject({ code, retryable: false, ...(detail === undefined ? {} : { detail }) });
    expect(setting.work.waiting).toEqual([]);
  });
});

describe('a mismatch whose function dies before it has failed the job', () => {
  const die = (setting: UploadSetting): void => {
    const change = setting.jobs.change.bind(setting.jobs);
    setting.jobs.change = async (id, asked) => {
      if (asked.to === 'failed') throw new UnavailableError('DynamoDB');
      return await change(id, asked);
    };
  };

  test('leaves no tag, by which the sweep would send work', async () => {
    const setting = new UploadSetting();
    setting.uploads.put(await setting.createJob(), `${CONTENT}5,6\n`);
    die(setting);
    await expect(setting.handle(EVENT)).rejects.toThrow(UnavailableError);
    const record = await setting.job();
    expect(record.job.status).toBe('queued');
    expect(record).not.toHaveProperty('objectTag');
  });

  test('leaves the tag of the upload that was checked, so that no other is processed', async () => {
    const setting = new UploadSetting();
    const made = await setting.createJob();
    const { tag } = setting.uploads.put(made, CONTENT);
    await setting.handle(EVENT);
    setting.uploads.put(made, `${CONTENT}5,6\n`);
    die(setting);
    await expect(setting.handle(EVENT)).rejects.toThrow(UnavailableError);
    expect((await setting.job()).objectTag).toBe(tag);
  });
});

describe('an event that means nothing', () => {
  test('of an unknown job, of another epoch, or of an object that is gone', async () => {
    const setting = new UploadSetting();
    await setting.handle(EVENT);
    const record = await setting.createJob();
    await setting.handle(EVENT);
    setting.uploads.put(record, CONTENT);
    await setting.handle({ ...EVENT, epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZZ' });
    expect((await setting.job()).job).toMatchObject({ status: 'awaiting-upload', seq: 1 });
    expect(setting.work.waiting).toEqual([]);
  });

  test('of a job that never stands still is left to the retry of the event', async () => {
    const setting = new UploadSetting((own) => ({
      uploads: {
        inspect: async (record) => {
          await own.jobs.change(NEW_JOB.id, { at, within: ['awaiting-upload'], set: { message: 'busy' } });
          return await own.uploads.inspect(record);
        },
      },
    }));
    setting.uploads.put(await setting.createJob(), CONTENT);
    await expect(setting.handle(EVENT)).rejects.toThrow('was refused for its seq');
    expect((await setting.job()).job).toMatchObject({ status: 'awaiting-upload', seq: 6 });
  });
});
