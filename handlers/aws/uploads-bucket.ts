import { Readable } from 'node:stream';
import { GetObjectCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import type { Upload } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import type { CompletedPart, UploadedPart } from '../../protocol/upload.ts';
import {
  MalformedDataError,
  ObjectChangedError,
  ObjectNotFoundError,
  UploadNotFoundError,
} from '../errors.ts';
import type { JobRecord, Now, UploadedObject, Uploads, WantedParts } from '../ports.ts';
import { uploadKeyOf } from './object-key.ts';
import { translateS3Error } from './s3-error.ts';
import { translateServiceError } from './service-error.ts';
import { grantUpload } from './upload-grant.ts';
import { abortParts, type BegunUpload, beginParts, completeParts, listParts } from './upload-parts.ts';

/** The bucket, and the clock that a grant's seconds are counted by (by default the system's). */
export interface UploadsBucketSettings {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly now?: Now;
}

/** `Uploads` in an S3 bucket. */
export class UploadsBucket implements Uploads {
  readonly #client: S3Client;
  readonly #bucketName: string;
  readonly #now: Now;

  constructor(settings: UploadsBucketSettings) {
    this.#client = settings.client;
    this.#bucketName = settings.bucketName;
    this.#now = settings.now ?? (() => new Date());
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

  async open(record: JobRecord, signal: AbortSignal): Promise<Readable> {
    const key = uploadKeyOf(record);
    const command = new GetObjectCommand({
      Bucket: this.#bucketName,
      Key: key,
      ...(record.objectTag === undefined ? {} : { IfMatch: record.objectTag }),
    });
    signal.throwIfAborted();
    const answer = await this.#client.send(command, { abortSignal: signal }).catch((error: unknown) => {
      signal.throwIfAborted();
      throw translateS3Error(key, error);
    });
    const body = answer.Body;
    if (!(body instanceof Readable)) throw new MalformedDataError("S3's answer");
    // Not every server heeds If-Match; the tag of the answer tells for certain.
    if (record.objectTag !== undefined && answer.ETag !== record.objectTag) {
      body.destroy();
      throw new ObjectChangedError(key);
    }
    const content = Readable.from(translated(body, signal), { objectMode: false });
    // A generator that was never begun does not reach its `finally`; the connection must be freed all the same.
    content.once('close', () => body.destroy());
    return content;
  }
}

/** The content, with what breaks half-way translated: an abort is the caller's own, the rest is S3's. */
async function* translated(body: Readable, signal: AbortSignal): AsyncIterable<Uint8Array> {
  const abort = () => body.destroy();
  signal.addEventListener('abort', abort, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of body) yield chunk;
    signal.throwIfAborted();
  } catch (error) {
    signal.throwIfAborted();
    throw translateServiceError('S3', error);
  } finally {
    signal.removeEventListener('abort', abort);
    body.destroy();
  }
}
