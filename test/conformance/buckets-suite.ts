import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { beforeAll, describe, expect, it } from 'vitest';
import { ObjectChangedError, ObjectNotFoundError, UploadNotFoundError } from '../../handlers/errors.ts';
import type { JobRecord, Results, UploadedObject, Uploads } from '../../handlers/ports.ts';
import { sampleRecord } from './sample-jobs.ts';

const BODY = 'a,b\n1,2\n3,4';

/** The buckets, and what a client does with them. */
export interface BucketsUnderTest {
  readonly uploads: Uploads;
  readonly results: Results;
  /** Uploads as a client does, with a grant. */
  upload(record: JobRecord, body: string): Promise<void>;
  /** Uploads one part as a client does, with a grant; answers its entity tag. */
  uploadPart(record: JobRecord, partNumber: number, body: Uint8Array<ArrayBuffer>): Promise<string>;
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

    /** A job whose upload in parts has begun: two parts, of 8 MiB and of one byte. */
    async function begun(): Promise<{
      record: JobRecord;
      whole: Uint8Array<ArrayBuffer>;
      last: Uint8Array<ArrayBuffer>;
    }> {
      const whole = new Uint8Array(8 * 1024 ** 2).fill(65);
      const last = new Uint8Array([66]);
      const input = { fileName: 'f.csv', contentType: 'text/csv', size: whole.length + last.length };
      const record = sampleRecord({ upload: 'multipart', input });
      return { record: { ...record, uploadId: await buckets.uploads.begin(record.job) }, whole, last };
    }

    it('makes one object of the parts, once and again', async () => {
      const { record, whole, last } = await begun();
      expect(await buckets.uploads.parts(record, 1)).toEqual([]);
      const second = await buckets.uploadPart(record, 2, last);
      const first = await buckets.uploadPart(record, 1, whole);
      const listed = [
        { partNumber: 1, etag: first, size: whole.length },
        { partNumber: 2, etag: second, size: 1 },
      ];
      expect(await buckets.uploads.parts(record, 1)).toEqual(listed);
      expect(await buckets.uploads.parts(record, 2)).toEqual(listed.slice(1));
      expect(await buckets.uploads.inspect(record)).toBeUndefined();
      const swapped = [
        { partNumber: 1, etag: second },
        { partNumber: 2, etag: first },
      ];
      const refused = buckets.uploads.complete(record, swapped);
      await expect(refused).rejects.toMatchObject({ name: 'PartsRefusedError', code: 'InvalidPart' });
      await buckets.uploads.complete(record, listed);
      await buckets.uploads.complete(record, listed);
      expect(await buckets.uploads.inspect(record)).toEqual({
        size: whole.length + 1,
        contentType: 'text/csv',
        tag: expect.stringMatching(/^"[0-9a-f]{32}-2"$/),
      });
      const content = await text(await buckets.uploads.open(record, signal));
      expect(content.length).toBe(whole.length + 1);
      expect(content.endsWith('AB')).toBe(true);
      await expect(buckets.uploads.parts(record, 1)).rejects.toBeInstanceOf(UploadNotFoundError);
      await buckets.uploads.abort(record);
      expect(await buckets.uploads.inspect(record)).toBeDefined();
    });

    it('gives up an upload in parts, once and again, and nothing is left of it', async () => {
      const { record, last } = await begun();
      const etag = await buckets.uploadPart(record, 2, last);
      await buckets.uploads.abort(record);
      await buckets.uploads.abort(record);
      await expect(buckets.uploads.parts(record, 1)).rejects.toBeInstanceOf(UploadNotFoundError);
      await expect(buckets.uploads.complete(record, [{ partNumber: 2, etag }])).rejects.toBeInstanceOf(
        UploadNotFoundError,
      );
      expect(await buckets.uploads.inspect(record)).toBeUndefined();
    });

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

    it('reads ranges: the first bytes, some in the middle, the last, none, and all', async () => {
      const record = sampleRecord();
      await buckets.upload(record, BODY);
      const { tag } = await inspected(record);
      const last = BODY.length;
      for (const [from, to] of [
        [0, 1],
        [4, 8],
        [last - 2, last],
        [last, last],
        [3, 3],
        [0, last],
      ] as const) {
        const stream = await buckets.uploads.open({ ...record, objectTag: tag }, signal, { from, to });
        expect(await text(stream)).toBe(BODY.slice(from, to));
      }
      await buckets.upload(record, BODY.replace('1', '9'));
      await expect(
        buckets.uploads.open({ ...record, objectTag: tag }, signal, { from: 4, to: 8 }),
      ).rejects.toBeInstanceOf(ObjectChangedError);
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
