import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { ObjectChangedError, ObjectNotFoundError } from '../../handlers/errors.ts';
import type { JobRecord, Results, UploadedObject, Uploads } from '../../handlers/ports.ts';
import { sampleRecord } from './sample-jobs.ts';

const BODY = 'a,b\n1,2\n3,4';

/** The buckets, and what a client does with them. */
export interface BucketsUnderTest {
  readonly uploads: Uploads;
  readonly results: Results;
  /** Uploads as a client does, with a grant. */
  upload(record: JobRecord, body: string): Promise<void>;
  /** Downloads a result as a client does that follows `link`. */
  download(record: JobRecord, link: string): Promise<{ readonly body: string; readonly contentType: string }>;
}

/** What every adapter of `Uploads` and `Results` must do. */
export function describeBuckets(name: string, start: () => Promise<BucketsUnderTest>): void {
  describe(`Uploads and Results: ${name}`, () => {
    let buckets: BucketsUnderTest;
    beforeAll(async () => {
      buckets = await start();
    });
    const signal = new AbortController().signal;

    async function inspected(record: JobRecord): Promise<UploadedObject> {
      const object = await buckets.uploads.inspect(record);
      if (object === undefined) throw new Error('there is no object');
      return object;
    }

    for (const upload of ['put', 'post'] as const) {
      it(`says of an upload by ${upload} what it is, and reads it`, async () => {
        const record = sampleRecord({
          upload,
          input: { fileName: 'ä.csv', contentType: 'text/csv', size: BODY.length },
        });
        await buckets.upload(record, BODY);
        const object = await inspected(record);
        expect(object).toEqual({
          size: BODY.length,
          contentType: 'text/csv',
          tag: expect.stringMatching(/^"[0-9a-f]{32}"$/),
        });
        expect(await text(await buckets.uploads.open({ ...record, objectTag: object.tag }, signal))).toBe(
          BODY,
        );
        expect(await text(await buckets.uploads.open(record, signal))).toBe(BODY);
      });
    }

    it('knows nothing of an upload that has not come, nor of another epoch', async () => {
      const record = sampleRecord();
      expect(await buckets.uploads.inspect(record)).toBeUndefined();
      await expect(buckets.uploads.open(record, signal)).rejects.toBeInstanceOf(ObjectNotFoundError);
      await buckets.upload(record, BODY);
      const remade = { ...record, job: { ...record.job, epoch: sampleRecord().job.epoch } };
      expect(await buckets.uploads.inspect(remade)).toBeUndefined();
    });

    it('notices that another object lies where the checked one did', async () => {
      const record = sampleRecord();
      await buckets.upload(record, BODY);
      const { tag } = await inspected(record);
      await buckets.upload(record, BODY.replace('1', '9'));
      await expect(buckets.uploads.open({ ...record, objectTag: tag }, signal)).rejects.toBeInstanceOf(
        ObjectChangedError,
      );
    });

    it('stops reading when told to, before and in the middle', async () => {
      const body = 'x'.repeat(3_000_000);
      const record = sampleRecord({ input: { fileName: 'x', contentType: 'text/csv', size: body.length } });
      await buckets.upload(record, body);
      const reason = new Error('the job was cancelled');
      await expect(buckets.uploads.open(record, AbortSignal.abort(reason))).rejects.toBe(reason);

      const controller = new AbortController();
      const stream = await buckets.uploads.open(record, controller.signal);
      const read = async () => {
        for await (const chunk of stream) {
          expect(chunk.length).toBeGreaterThan(0);
          controller.abort(reason);
        }
      };
      await expect(read()).rejects.toBe(reason);
    });

    it('stops before the first byte was read, and can be dropped unread', async () => {
      const record = sampleRecord();
      await buckets.upload(record, BODY);
      const reason = new Error('the job was cancelled');
      const controller = new AbortController();
      const stopped = await buckets.uploads.open(record, controller.signal);
      controller.abort(reason);
      await expect(text(stopped)).rejects.toBe(reason);

      const dropped = await buckets.uploads.open(record, signal);
      dropped.destroy();
      await once(dropped, 'close');
      expect(await text(await buckets.uploads.open(record, signal))).toBe(BODY);
    });

    it('can be abandoned in the middle', async () => {
      const body = 'x'.repeat(3_000_000);
      const record = sampleRecord({ input: { fileName: 'x', contentType: 'text/csv', size: body.length } });
      await buckets.upload(record, body);
      const stream = await buckets.uploads.open(record, signal);
      for await (const chunk of stream) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      expect(stream.destroyed).toBe(true);
    });

    it('writes a result and links to it', async () => {
      const record = sampleRecord();
      await buckets.results.write(record, Buffer.from('{"rows":1}'), 'application/json');
      await buckets.results.write(record, Buffer.from('{"rows":2}'), 'application/json');
      const link = await buckets.results.link(record, 60);
      expect(await buckets.download(record, link)).toEqual({
        body: '{"rows":2}',
        contentType: 'application/json',
      });
    });
  });
}
