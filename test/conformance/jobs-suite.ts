import { beforeAll, describe, expect, it } from 'vitest';
import {
  ChangeRefusedError,
  InvalidReportError,
  JobExistsError,
  TooLargeError,
} from '../../handlers/errors.ts';
import type { JobChange, JobRecord, Jobs } from '../../handlers/ports.ts';
import { FIELD_BYTES } from '../../protocol/job.ts';
import { MADE_AT, sampleNewJob, secondsLater } from './sample-jobs.ts';

const EXECUTION = { id: 'execution-1', aliveUntil: secondsLater(90) };
const RESULT = { href: '/jobs/x/result', contentType: 'application/json', size: 12 };

/** What every adapter of `Jobs` must do. `start` is called once; each test makes jobs of its own. */
export function describeJobs(name: string, start: () => Promise<Jobs>): void {
  describe(`Jobs: ${name}`, () => {
    let jobs: Jobs;
    beforeAll(async () => {
      jobs = await start();
    });

    async function made(): Promise<JobRecord> {
      return jobs.create(sampleNewJob());
    }
    async function running(): Promise<JobRecord> {
      const { job } = await made();
      await jobs.change(job.id, { at: secondsLater(1), to: 'queued', set: { objectTag: '"tag"' } });
      return jobs.change(job.id, { at: secondsLater(2), to: 'running', set: { execution: EXECUTION } });
    }
    async function refusal(id: string, change: JobChange): Promise<ChangeRefusedError> {
      const error: unknown = await jobs.change(id, change).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      expect(error).toBeInstanceOf(ChangeRefusedError);
      return error as ChangeRefusedError; // just asserted
    }

    it('makes a job that waits for its upload, and reads it back', async () => {
      const newJob = sampleNewJob({ expiresAt: '2026-11-24T10:00:00.789Z' });
      const record = await jobs.create(newJob);
      expect(record).toEqual({
        job: {
          id: newJob.id,
          kind: newJob.kind,
          epoch: newJob.epoch,
          seq: 1,
          status: 'awaiting-upload',
          stalled: false,
          input: newJob.input,
          tags: newJob.tags,
          createdAt: MADE_AT,
          updatedAt: MADE_AT,
          expiresAt: '2026-11-24T10:00:00.000Z',
          history: [{ status: 'awaiting-upload', at: MADE_AT, seq: 1 }],
        },
        owner: newJob.owner,
        upload: newJob.upload,
        uploadUntil: newJob.uploadUntil,
        fingerprint: newJob.fingerprint,
      });
      expect(await jobs.read(newJob.id)).toEqual(record);
    });

    it('refuses to make a job of an id that exists, and says which one is there', async () => {
      const first = await made();
      const again = jobs.create(sampleNewJob({ id: first.job.id, fingerprint: 'another hash' }));
      await expect(again).rejects.toBeInstanceOf(JobExistsError);
      await expect(again).rejects.toMatchObject({ current: first });
      expect(await jobs.read(first.job.id)).toEqual(first);
    });

    it('lets one of many makers of the same id win', async () => {
      const id = sampleNewJob().id;
      const results = await Promise.allSettled(
        Array.from({ length: 8 }, () => jobs.create(sampleNewJob({ id }))),
      );
      expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      for (const result of results) {
        if (result.status === 'rejected') expect(result.reason).toBeInstanceOf(JobExistsError);
      }
    });

    it('knows nothing of a job that was never made, or whose id is none', async () => {
      expect(await jobs.read(sampleNewJob().id)).toBeUndefined();
      expect(await jobs.read('')).toBeUndefined();
      expect(await jobs.read('x'.repeat(5000))).toBeUndefined();
      const change = { at: MADE_AT, to: 'queued' } as const;
      await expect(jobs.change(sampleNewJob().id, change)).rejects.toMatchObject({
        name: 'JobNotFoundError',
      });
      await expect(jobs.change('', change)).rejects.toMatchObject({ name: 'JobNotFoundError' });
    });

    it('writes the whole life of a job', async () => {
      const started = await running();
      expect(started).toMatchObject({ objectTag: '"tag"', execution: EXECUTION });
      expect(started.job).toMatchObject({ seq: 3, status: 'running', startedAt: secondsLater(2) });

      const reported = await jobs.change(started.job.id, {
        at: secondsLater(3),
        within: ['running'],
        execution: EXECUTION.id,
        set: {
          progress: { done: 1e20, total: 2.5e-7, unit: 'rows', fraction: 0.1 + 0.2 },
          step: { name: 'profile', index: 1, count: 2 },
          message: 'profiling “naïve” 🚀\u0000',
        },
      });
      expect(reported.job).toMatchObject({
        seq: 4,
        status: 'running',
        progress: { done: 1e20, total: 2.5e-7, unit: 'rows', fraction: 0.1 + 0.2 },
        step: { name: 'profile', index: 1, count: 2 },
        message: 'profiling “naïve” 🚀\u0000',
      });

      const ended = await jobs.change(started.job.id, {
        at: secondsLater(4),
        to: 'succeeded',
        execution: EXECUTION.id,
        set: { result: RESULT },
      });
      expect(ended.job).toEqual({
        ...reported.job,
        seq: 5,
        status: 'succeeded',
        result: RESULT,
        updatedAt: secondsLater(4),
        finishedAt: secondsLater(4),
        history: [
          { status: 'awaiting-upload', at: MADE_AT, seq: 1 },
          { status: 'queued', at: secondsLater(1), seq: 2 },
          { status: 'running', at: secondsLater(2), seq: 3 },
          { status: 'succeeded', at: secondsLater(4), seq: 5 },
        ],
      });
      expect(await jobs.read(started.job.id)).toEqual(ended);
    });

    it('keeps what an upload needs, and forgets a step that is over', async () => {
      const newJob = sampleNewJob({ upload: 'multipart', uploadId: 'the-id', crc32: '9NPsZg==' });
      expect(await jobs.create(newJob)).toMatchObject({ uploadId: 'the-id', crc32: '9NPsZg==' });
      const uploading = await jobs.change(newJob.id, {
        at: secondsLater(1),
        within: ['awaiting-upload'],
        set: {
          uploadShare: 0.5,
          progress: { done: 4, total: 8, unit: 'bytes', fraction: 0.25 },
          step: { name: 'upload', index: 1, count: 1 },
          message: 'on its way',
        },
      });
      expect(uploading).toMatchObject({ uploadShare: 0.5, job: { step: { name: 'upload' } } });
      const queued = await jobs.change(newJob.id, {
        at: secondsLater(2),
        to: 'queued',
        set: { progress: { fraction: 0.5 } },
        clear: ['step', 'message'],
      });
      expect(queued.job).toMatchObject({ status: 'queued', progress: { fraction: 0.5 }, seq: 3 });
      expect(Object.keys(queued.job)).not.toContain('step');
      expect(Object.keys(queued.job)).not.toContain('message');
      const again = await jobs.change(newJob.id, {
        at: secondsLater(3),
        within: ['queued'],
        clear: ['step'],
      });
      expect(again).toMatchObject({
        uploadId: 'the-id',
        crc32: '9NPsZg==',
        uploadShare: 0.5,
        job: { seq: 4 },
      });
      expect(await jobs.read(newJob.id)).toEqual(again);
    });

    it('keeps how far ranges are, out of the public job, until it is told to forget it', async () => {
      const { job } = await running();
      const ranges = [
        [1_000, 10],
        [0, 0],
        [Number.MAX_SAFE_INTEGER, 3],
      ] as const;
      const kept = await jobs.change(job.id, { at: secondsLater(4), within: ['running'], set: { ranges } });
      expect(kept.ranges).toEqual(ranges);
      expect(Object.keys(kept.job)).not.toContain('ranges');
      const later = await jobs.change(job.id, { at: secondsLater(5), within: ['running'] });
      expect(later.ranges).toEqual(ranges);
      const cleared = await jobs.change(job.id, {
        at: secondsLater(6),
        within: ['running'],
        clear: ['ranges'],
      });
      expect(Object.keys(cleared)).not.toContain('ranges');
      expect(await jobs.read(job.id)).toEqual(cleared);
      await expect(
        jobs.change(job.id, { at: secondsLater(7), within: ['running'], set: { ranges: [[-1, 0]] } }),
      ).rejects.toBeInstanceOf(InvalidReportError);
    });

    it('clears stalled with any change that does not name it', async () => {
      const { job } = await running();
      const stalled = await jobs.change(job.id, {
        at: secondsLater(70),
        within: ['running'],
        seq: job.seq,
        set: { stalled: true },
      });
      expect(stalled.job).toMatchObject({ stalled: true, seq: 4 });
      const heard = await jobs.change(job.id, {
        at: secondsLater(71),
        within: ['running'],
        set: { message: 'on' },
      });
      expect(heard.job).toMatchObject({ stalled: false, seq: 5 });
    });

    it('refuses what the status does not allow, and changes nothing', async () => {
      const { job } = await made();
      const error = await refusal(job.id, { at: secondsLater(1), to: 'running' });
      expect(error).toMatchObject({ reason: 'status', current: { job } });
      expect(await refusal(job.id, { at: secondsLater(1), within: ['running'] })).toMatchObject({
        reason: 'status',
      });
      expect(await refusal(job.id, { at: secondsLater(1) })).toMatchObject({ reason: 'status' });
      expect(await refusal(job.id, { at: secondsLater(1), to: 'awaiting-upload' })).toMatchObject({
        reason: 'status',
      });
      expect(
        await refusal(job.id, { at: secondsLater(1), to: 'cancelled', within: ['queued'] }),
      ).toMatchObject({
        reason: 'status',
      });
      expect((await jobs.read(job.id))?.job).toEqual(job);
    });

    it('refuses another epoch, another execution and a seq that has moved on', async () => {
      const { job } = await running();
      const at = secondsLater(5);
      const within = ['running'] as const;
      const otherEpoch = sampleNewJob().epoch;
      expect(await refusal(job.id, { at, within, epoch: otherEpoch })).toMatchObject({ reason: 'epoch' });
      expect(await refusal(job.id, { at, within, execution: 'execution-2' })).toMatchObject({
        reason: 'execution',
      });
      expect(await refusal(job.id, { at, within, seq: 2 })).toMatchObject({ reason: 'seq' });
      expect((await jobs.read(job.id))?.job).toEqual(job);
      const allRight = { at, within, epoch: job.epoch, execution: EXECUTION.id, seq: 3 };
      expect((await jobs.change(job.id, allRight)).job.seq).toBe(4);
    });

    it('names an execution before there is one: refused, not failed', async () => {
      const { job } = await made();
      expect(await refusal(job.id, { at: secondsLater(1), to: 'cancelled', execution: 'x' })).toMatchObject({
        reason: 'execution',
      });
    });

    it('lets exactly one of two executions claim a job, and the winner repeat its claim', async () => {
      const { job } = await made();
      await jobs.change(job.id, { at: secondsLater(1), to: 'queued' });
      const claim = (id: string): JobChange => ({
        at: secondsLater(2),
        to: 'running',
        set: { execution: { id, aliveUntil: secondsLater(60) } },
      });
      const results = await Promise.allSettled(
        ['a', 'b', 'c', 'd'].map((id) => jobs.change(job.id, claim(id))),
      );
      const winners = results.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
      expect(winners).toHaveLength(1);
      const winner = winners[0]?.execution?.id ?? '';

      const repeated = await jobs.change(job.id, claim(winner));
      expect(repeated.job).toMatchObject({ seq: 3, status: 'running' });
      expect(repeated.job.history).toHaveLength(3);
      const loser = ['a', 'b', 'c', 'd'].find((id) => id !== winner) ?? '';
      expect(await refusal(job.id, claim(loser))).toMatchObject({ reason: 'status' });
    });

    it('takes an ending that an execution repeats for made, and another ending for refused', async () => {
      const { job } = await running();
      const end: JobChange = {
        at: secondsLater(9),
        to: 'succeeded',
        execution: EXECUTION.id,
        set: { result: RESULT },
      };
      const ended = await jobs.change(job.id, end);
      expect(await jobs.change(job.id, { ...end, at: secondsLater(10) })).toEqual(ended);
      expect(await refusal(job.id, { ...end, to: 'failed' })).toMatchObject({ reason: 'status' });
      expect(await refusal(job.id, { ...end, execution: 'another' })).toMatchObject({ reason: 'status' });
    });

    it('counts every report of many at the same time', async () => {
      const { job } = await running();
      const reports = Array.from({ length: 10 }, (_, index) =>
        jobs.change(job.id, {
          at: secondsLater(3),
          within: ['running'],
          set: { message: `report ${index}` },
        }),
      );
      const seqs = (await Promise.all(reports)).map((record) => record.job.seq);
      expect(seqs.toSorted((one, other) => one - other)).toEqual([4, 5, 6, 7, 8, 9, 10, 11, 12, 13]);
    });

    it('refuses a field that is too large by name, and writes nothing', async () => {
      const { job } = await running();
      const long = (field: keyof typeof FIELD_BYTES) => 'x'.repeat(FIELD_BYTES[field] - 1);
      const step = { index: 1, count: 1 };
      const error = { code: 'c', title: 't', retryable: false };
      const cases = [
        ['message', { message: long('message') }],
        ['message', { message: '\u0001'.repeat(400) }],
        ['message', { message: '\ud800'.repeat(400) }],
        ['step.name', { step: { ...step, name: long('step.name') } }],
        ['progress.unit', { progress: { fraction: 0, unit: long('progress.unit') } }],
        ['result.contentType', { result: { ...RESULT, contentType: `text/${long('result.contentType')}` } }],
        ['error.code', { error: { ...error, code: long('error.code') } }],
        ['error.title', { error: { ...error, title: long('error.title') } }],
        ['error.detail', { error: { ...error, detail: '€'.repeat(1400) } }],
      ] as const;
      for (const [field, set] of cases) {
        const change = jobs.change(job.id, { at: secondsLater(3), within: ['running'], set });
        await expect(change, field).rejects.toBeInstanceOf(TooLargeError);
        await expect(change).rejects.toMatchObject({ field });
      }
      await expect(jobs.create(sampleNewJob({ kind: 'x'.repeat(70) }))).rejects.toMatchObject({
        field: 'kind',
      });
      const tags = Array.from({ length: 10 }, (_, index) => `${index}${'€'.repeat(60)}`);
      await expect(jobs.create(sampleNewJob({ tags }))).rejects.toMatchObject({ field: 'tags' });
      expect((await jobs.read(job.id))?.job).toEqual(job);
    });

    it('refuses a value that no job can have, and writes nothing', async () => {
      const { job } = await running();
      const sets = [
        { progress: { fraction: Number.NaN } },
        { progress: { fraction: 1.01 } },
        { progress: { fraction: -0.1 } },
        { progress: { fraction: 5e-324 } },
        { progress: { fraction: 0.5, done: Number.POSITIVE_INFINITY } },
        { progress: { fraction: 0.5, done: 1e300 } },
        { message: '' },
        { message: 'half a rocket: \ud83d' },
        { step: { name: 'a', index: 0, count: 1 } },
        { result: { ...RESULT, contentType: 'no media type' } },
        { result: { ...RESULT, size: 1.5 } },
        { execution: { id: '', aliveUntil: secondsLater(1) } },
      ];
      for (const set of sets) {
        const change = jobs.change(job.id, { at: secondsLater(3), within: ['running'], set });
        await expect(change, JSON.stringify(set)).rejects.toBeInstanceOf(InvalidReportError);
      }
      await expect(jobs.create(sampleNewJob({ id: 'job_1' }))).rejects.toBeInstanceOf(InvalidReportError);
      expect((await jobs.read(job.id))?.job).toEqual(job);
    });

    it('reads many at once: each once, those that do not exist left out', async () => {
      const records = await Promise.all(Array.from({ length: 130 }, made));
      const ids = records.map((record) => record.job.id);
      const read = await jobs.readMany([...ids, ...ids.slice(0, 5), sampleNewJob().id, '']);
      const byId = (one: JobRecord, other: JobRecord) => one.job.id.localeCompare(other.job.id);
      expect(read.toSorted(byId)).toEqual(records.toSorted(byId));
      expect(await jobs.readMany([])).toEqual([]);
    });

    it("lists an owner's jobs, newest first, page by page", async () => {
      const owner = sampleNewJob().id;
      for (const second of [3, 1, 4, 2, 5])
        await jobs.create(sampleNewJob({ owner, at: secondsLater(second) }));
      await jobs.create(sampleNewJob({ owner: 'somebody else' }));
      const seen: string[] = [];
      let cursor: string | undefined;
      const sizes: number[] = [];
      do {
        const page: Awaited<ReturnType<Jobs['list']>> = await jobs.list(
          owner,
          cursor === undefined ? { limit: 2 } : { limit: 2, cursor },
        );
        seen.push(...page.records.map((record) => record.job.createdAt));
        sizes.push(page.records.length);
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(seen).toEqual([5, 4, 3, 2, 1].map(secondsLater));
      expect(sizes).toEqual([2, 2, 1]);
      const all = await jobs.list(owner, { limit: 5 });
      expect(all.records).toHaveLength(5);
      expect(all.cursor).toBeUndefined();
      expect(await jobs.list('nobody', { limit: 5 })).toEqual({ records: [] });
    });

    it('refuses a cursor of another owner and one that is none', async () => {
      const owner = sampleNewJob().id;
      for (const second of [1, 2]) await jobs.create(sampleNewJob({ owner, at: secondsLater(second) }));
      const { cursor } = await jobs.list(owner, { limit: 1 });
      expect(cursor).toMatch(/^[\w-]+$/);
      for (const foreign of ['', 'x', 'e30', `${cursor}A`.slice(2), '%']) {
        await expect(jobs.list(owner, { limit: 1, cursor: foreign }), foreign).rejects.toMatchObject({
          name: 'MalformedDataError',
        });
      }
      await expect(jobs.list('mallory', { limit: 1, cursor: cursor ?? '' })).rejects.toMatchObject({
        name: 'MalformedDataError',
      });
    });
  });
}
