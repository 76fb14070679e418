import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Upload } from '../../protocol/http.ts';
import { ObjectChangedError, ObjectNotFoundError, RefusedError } from '../errors.ts';
import type { JobRecord, UploadedObject, Uploads } from '../ports.ts';

/** The size of the pieces that an object is read in, in bytes: what a socket delivers at once. */
const CHUNK_BYTES = 65_536;

/** `Uploads` in memory. `put` does what a client does with its grant. */
export class MemoryUploads implements Uploads {
  readonly #objects = new Map<string, UploadedObject & { readonly body: Uint8Array }>();

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
      tag: `"${createHash('md5').update(bytes).digest('hex')}"`,
    };
    this.#objects.set(keyOf(record), { ...object, body: bytes });
    return object;
  }

  async grant(record: JobRecord, until: string): Promise<Upload> {
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
        throw new RefusedError('S3', 'uploads in parts are not offered here');
    }
  }

  async inspect(record: JobRecord): Promise<UploadedObject | undefined> {
    const object = this.#objects.get(keyOf(record));
    if (object === undefined) return undefined;
    return { size: object.size, contentType: object.contentType, tag: object.tag };
  }

  async open(record: JobRecord, signal: AbortSignal): Promise<Readable> {
    signal.throwIfAborted();
    const key = keyOf(record);
    const object = this.#objects.get(key);
    if (object === undefined) throw new ObjectNotFoundError(key);
    if (record.objectTag !== undefined && record.objectTag !== object.tag) throw new ObjectChangedError(key);
    return Readable.from(chunksOf(object.body, signal), { objectMode: false });
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
