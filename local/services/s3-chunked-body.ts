import { Transform, type TransformCallback } from 'node:stream';
import { type ChecksumAlgorithm, checksumsOf } from './s3-body.ts';
import { S3Refusal } from './s3-refusal.ts';

/** Characters of a chunk's head or of a trailer; nothing legal is as long. */
const MAXIMUM_LINE = 1024;

/**
 * Takes the aws-chunked encoding off a body: `<hex size>\r\n<bytes>\r\n` … `0\r\n<trailers>\r\n\r\n`. SDK v3
 * sends a stream so, with its CRC32 in a trailer (S3 API, sigv4-streaming-trailers;
 * `STREAMING-UNSIGNED-PAYLOAD-TRAILER`).
 */
export class ChunkedBodyDecoder extends Transform {
  #state: 'size' | 'bytes' | 'end-of-bytes' | 'trailers' | 'done' = 'size';
  #line = '';
  #remaining = 0;
  readonly #trailers: Record<string, string> = {};

  /** The checksums of the trailers; complete once the stream has ended. */
  trailingChecksums(): ReadonlyMap<ChecksumAlgorithm, string> {
    return checksumsOf(this.#trailers);
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    try {
      let rest = chunk;
      while (rest.length > 0) rest = this.#consume(rest);
      callback();
    } catch (error) {
      // #consume throws nothing but S3Refusal.
      callback(error as S3Refusal);
    }
  }

  override _flush(callback: TransformCallback): void {
    callback(this.#state === 'done' ? null : malformed());
  }

  /** Takes what it can from the front, and returns the rest. */
  #consume(bytes: Buffer): Buffer {
    if (this.#state === 'done') throw malformed();
    if (this.#state === 'bytes') {
      const taken = bytes.subarray(0, this.#remaining);
      this.push(taken);
      this.#remaining -= taken.length;
      if (this.#remaining === 0) this.#state = 'end-of-bytes';
      return bytes.subarray(taken.length);
    }
    const end = bytes.indexOf('\n');
    this.#line += bytes.toString('latin1', 0, end < 0 ? bytes.length : end);
    if (this.#line.length > MAXIMUM_LINE) throw malformed();
    if (end < 0) return Buffer.alloc(0);
    const line = this.#line.replace(/\r$/, '');
    this.#line = '';
    this.#endOfLine(line);
    return bytes.subarray(end + 1);
  }

  #endOfLine(line: string): void {
    if (this.#state === 'end-of-bytes') {
      if (line !== '') throw malformed();
      this.#state = 'size';
    } else if (this.#state === 'size') {
      const size = /^([0-9a-f]{1,12})(?:;.*)?$/i.exec(line)?.[1];
      if (size === undefined) throw malformed();
      this.#remaining = Number.parseInt(size, 16);
      this.#state = this.#remaining === 0 ? 'trailers' : 'bytes';
    } else if (line === '') this.#state = 'done';
    else {
      const colon = line.indexOf(':');
      this.#trailers[line.slice(0, Math.max(0, colon)).trim().toLowerCase()] = line.slice(colon + 1).trim();
    }
  }
}

function malformed(): S3Refusal {
  return new S3Refusal('IncompleteBody', 'The request body terminated unexpectedly');
}
