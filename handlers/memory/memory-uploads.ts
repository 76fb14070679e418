import { createHash, randomUUID } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Upload } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import {
  type CompletedPart,
  MAXIMUM_PART_URLS,
  partCountOf,
  partSizeOf,
  type UploadedPart,
} from '../../protocol/upload.ts';
import {
  ObjectChangedError,
  ObjectNotFoundError,
  PartsRefusedError,
  UploadNotFoundError,
} from '../errors.ts';
import type { JobRecord, UploadedObject, Uploads, WantedParts } from '../ports.ts';
import type { ByteRange } from '../workspace.ts';

/** The size of the pieces that an object is read in, in bytes: what a socket delivers at once. */
const CHUNK_BYTES = 65_536;

interface StoredPart extends UploadedPart {
  readonly body: Uint8Array;
}

interface Begun {
  readonly contentType: string | undefined;
  readonly parts: Map<number, StoredPart>;
}

/** `Uploads` in memory. `put` does what a client does with its grant. */
export class MemoryUploads implements Uploads {
  readonly #objects = new Map<string, UploadedObject & { readonly body: Uint8Array }>();
  readonly #begun = new Map<string, Begun>();

  /** Uploads the payload of a job; answers what S3 would say of it. */
  put(
    record: JobRecord,
    body: Uint8Array | string,
    contentType = record.job.input?.contentType,
  ): UploadedObject {
    const bytes = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    const object = {
      size: bytes.byteLength,
      contentType: contentType ?? 'application/octet-stream',
      tag: tagOf(bytes),
    };
    this.#objects.set(keyOf(record), { ...object, body: bytes });
    return object;
  }

  /** The ids of the uploads in parts that are neither completed nor given up. */
  get begun(): readonly string[] {
    return [...this.#begun.keys()];
  }

  /** Uploads one part; answers what S3 would list of it. */
  putPart(record: JobRecord, partNumber: number, body: Uint8Array): UploadedPart {
    const part = { partNumber, etag: tagOf(body), size: body.byteLength, body };
    this.#upload(record).parts.set(partNumber, part);
    return listed(part);
  }

  async begin(job: Pick<Job, 'id' | 'epoch' | 'input'>): Promise<string> {
    const uploadId = `upload-${randomUUID()}`;
    this.#begun.set(uploadId, { contentType: job.input?.contentType, parts: new Map() });
    return uploadId;
  }

  async parts(record: JobRecord, from: number): Promise<readonly UploadedPart[]> {
    return inOrder(this.#upload(record))
      .filter(({ partNumber }) => partNumber >= from)
      .map(listed);
  }

  async complete(record: JobRecord, parts: readonly CompletedPart[]): Promise<void> {
    if (
      record.uploadId !== undefined &&
      !this.#begun.has(record.uploadId) &&
      this.#objects.has(keyOf(record))
    )
      return;
    const upload = this.#upload(record);
    const chosen = parts.map(({ partNumber, etag }, index) => {
      const part = upload.parts.get(partNumber);
      if (partNumber <= (parts[index - 1]?.partNumber ?? 0)) throw new PartsRefusedError('InvalidPartOrder');
      if (part === undefined || part.etag !== etag) throw new PartsRefusedError('InvalidPart');
      return part;
    });
    const body = Buffer.concat(chosen.map((part) => part.body));
    const digests = Buffer.concat(chosen.map((part) => createHash('md5').update(part.body).digest()));
    this.#objects.set(keyOf(record), {
      size: body.byteLength,
      contentType: upload.contentType ?? 'application/octet-stream',
      tag: `"${createHash('md5').update(digests).digest('hex')}-${chosen.length}"`,
      body,
    });
    await this.abort(record);
  }

  async abort(record: JobRecord): Promise<void> {
    if (record.uploadId !== undefined) this.#begun.delete(record.uploadId);
  }

  #upload(record: JobRecord): Begun {
    const upload = record.uploadId === undefined ? undefined : this.#begun.get(record.uploadId);
    if (upload === undefined) throw new UploadNotFoundError(keyOf(record));
    return upload;
  }

  async grant(record: JobRecord, until: string, parts?: WantedParts): Promise<Upload> {
    const url = `https://uploads.invalid/${keyOf(record)}`;
    const contentType = record.job.input?.contentType ?? 'application/octet-stream';
    switch (record.upload) {
      case 'put':
        return {
          method: 'PUT',
          url: `${url}?until=${encodeURIComponent(until)}`,
          headers: { 'content-type': contentType },
        };
      case 'post':
        return {
          method: 'POST',
          url: 'https://uploads.invalid/',
          fields: { key: keyOf(record), 'Content-Type': contentType, until },
        };
      case 'multipart':
        return grantParts(record, `${url}?until=${encodeURIComponent(until)}`, parts);
    }
  }

  async inspect(record: JobRecord): Promise<UploadedObject | undefined> {
    const object = this.#objects.get(keyOf(record));
    if (object === undefined) return undefined;
    return { size: object.size, contentType: object.contentType, tag: object.tag };
  }

  async open(record: JobRecord, signal: AbortSignal, range?: ByteRange): Promise<Readable> {
    signal.throwIfAborted();
    const key = keyOf(record);
    const object = this.#objects.get(key);
    if (object === undefined) throw new ObjectNotFoundError(key);
    if (record.objectTag !== undefined && record.objectTag !== object.tag) throw new ObjectChangedError(key);
    const body = range === undefined ? object.body : object.body.subarray(range.from, range.to);
    return Readable.from(chunksOf(body, signal), { objectMode: false });
  }
}

function* chunksOf(body: Uint8Array, signal: AbortSignal): Iterable<Uint8Array> {
  for (let start = 0; start < body.byteLength; start += CHUNK_BYTES) {
    signal.throwIfAborted();
    yield body.subarray(start, start + CHUNK_BYTES);
  }
}

function keyOf(record: JobRecord): string {
  return `uploads/${record.job.id}/${record.job.epoch}`;
}

function tagOf(bytes: Uint8Array): string {
  return `"${createHash('md5').update(bytes).digest('hex')}"`;
}

function listed({ partNumber, etag, size }: StoredPart): UploadedPart {
  return { partNumber, etag, size };
}

function inOrder({ parts }: Begun): StoredPart[] {
  return [...parts.values()].sort((one, other) => one.partNumber - other.partNumber);
}

function grantParts(record: JobRecord, url: string, wanted: WantedParts | undefined): Upload {
  const size = record.job.input?.size ?? 0;
  const numbers = Array.from({ length: partCountOf(size) }, (_, index) => index + 1);
  const missing = numbers.filter(
    (number) => number >= (wanted?.from ?? 1) && wanted?.uploaded.has(number) !== true,
  );
  const parts = missing
    .slice(0, MAXIMUM_PART_URLS)
    .map((partNumber) => ({ partNumber, url: `${url}&partNumber=${partNumber}` }));
  const next = missing[MAXIMUM_PART_URLS];
  return { method: 'MULTIPART', partSize: partSizeOf(size), parts, ...(next === undefined ? {} : { next }) };
}
