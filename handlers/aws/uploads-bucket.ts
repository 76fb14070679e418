import type { Readable } from 'node:stream';
import { HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Upload } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import type { CompletedPart, UploadedPart } from '../../protocol/upload.ts';
import { MalformedDataError, ObjectNotFoundError, UploadNotFoundError } from '../errors.ts';
import type { JobRecord, Now, UploadedObject, Uploads, WantedParts } from '../ports.ts';
import type { ByteRange } from '../workspace.ts';
import { uploadKeyOf } from './object-key.ts';
import { translateS3Error } from './s3-error.ts';
import { openContent } from './upload-content.ts';
import { grantUpload } from './upload-grant.ts';
import { abortParts, type BegunUpload, beginParts, completeParts, listParts } from './upload-parts.ts';

/** The first wait before content that broke off is asked for again, in milliseconds: three seconds in all. */
const RESUME_AFTER = 200;

/** The bucket, and the clock that a grant's seconds are counted by (by default the system's). */
export interface UploadsBucketSettings {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly now?: Now;
  /** See `ContentSettings.firstWait`; 200 by default. */
  readonly resumeAfter?: number;
}

/** `Uploads` in an S3 bucket. */
export class UploadsBucket implements Uploads {
  readonly #client: S3Client;
  readonly #bucketName: string;
  readonly #now: Now;
  readonly #resumeAfter: number;

  constructor(settings: UploadsBucketSettings) {
    this.#client = settings.client;
    this.#bucketName = settings.bucketName;
    this.#now = settings.now ?? (() => new Date());
    this.#resumeAfter = settings.resumeAfter ?? RESUME_AFTER;
  }

  begin(job: Pick<Job, 'id' | 'epoch' | 'input'>): Promise<string> {
    const place = { client: this.#client, bucketName: this.#bucketName, key: uploadKeyOf({ job }) };
    return beginParts(place, job.input);
  }

  async grant(record: JobRecord, until: string, parts?: WantedParts): Promise<Upload> {
    const seconds = (Date.parse(until) - this.#now().getTime()) / 1000;
    return grantUpload(record, { client: this.#client, bucketName: this.#bucketName, seconds }, parts);
  }

  async parts(record: JobRecord, from: number): Promise<readonly UploadedPart[]> {
    return listParts(this.#begun(record), from);
  }

  async complete(record: JobRecord, parts: readonly CompletedPart[]): Promise<void> {
    try {
      await completeParts(this.#begun(record), parts);
    } catch (error) {
      // Once completed there is no such upload any more. S3 remembers for a while that it was; the object for good.
      if (error instanceof UploadNotFoundError && (await this.inspect(record)) !== undefined) return;
      throw error;
    }
  }

  async abort(record: JobRecord): Promise<void> {
    try {
      await abortParts(this.#begun(record));
    } catch (error) {
      if (!(error instanceof UploadNotFoundError)) throw error;
    }
  }

  #begun(record: JobRecord): BegunUpload {
    const key = uploadKeyOf(record);
    const { uploadId } = record;
    if (uploadId === undefined) throw new UploadNotFoundError(key);
    return { client: this.#client, bucketName: this.#bucketName, key, uploadId };
  }

  async inspect(record: JobRecord): Promise<UploadedObject | undefined> {
    const key = uploadKeyOf(record);
    const command = new HeadObjectCommand({ Bucket: this.#bucketName, Key: key });
    try {
      const { ContentLength: size, ContentType: contentType, ETag: tag } = await this.#client.send(command);
      if (size === undefined || tag === undefined) throw new MalformedDataError("S3's answer");
      // S3 says binary/octet-stream of an object that was uploaded without a type.
      return { size, contentType: contentType ?? 'binary/octet-stream', tag };
    } catch (error) {
      if (error instanceof MalformedDataError) throw error;
      const translated = translateS3Error(key, error);
      if (translated instanceof ObjectNotFoundError) return undefined;
      throw translated;
    }
  }

  open(record: JobRecord, signal: AbortSignal, range?: ByteRange): Promise<Readable> {
    const place = { client: this.#client, bucketName: this.#bucketName, key: uploadKeyOf(record) };
    return openContent({ ...place, tag: record.objectTag, firstWait: this.#resumeAfter, range }, signal);
  }
}
