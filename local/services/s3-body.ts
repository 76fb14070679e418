import { createHash, type Hash } from 'node:crypto';
import { Transform, type TransformCallback } from 'node:stream';
import { crc32 } from 'node:zlib';
import { S3Refusal } from './s3-refusal.ts';

/** What the bytes of an upload must be like; whatever is absent is not checked. */
export interface BodyExpectations {
  /** Bytes of the object. */
  readonly length?: number;
  /** Bytes, both inclusive, of a POST policy's content-length-range. */
  readonly range?: { readonly minimum: number; readonly maximum: number };
  /** Hex, of `x-amz-content-sha256`. */
  readonly payloadSha256?: string;
  /** Base64, of `Content-MD5`. */
  readonly md5?: string;
  /** Base64, by algorithm, of `x-amz-checksum-*`. */
  readonly checksums: ReadonlyMap<ChecksumAlgorithm, string>;
  /** A checksum that comes behind the body, and how to get it once the last byte has passed. */
  readonly trailer?: {
    readonly algorithm: ChecksumAlgorithm;
    readonly read: () => ReadonlyMap<ChecksumAlgorithm, string>;
  };
}

/** Algorithms that are verified. S3 knows more, which SDK v3 does not choose by itself. */
export type ChecksumAlgorithm = 'crc32' | 'sha1' | 'sha256';

const ALGORITHMS: readonly ChecksumAlgorithm[] = ['crc32', 'sha1', 'sha256'];

/**
 * The checksums among headers or form fields (`x-amz-checksum-sha256` and so on).
 *
 * @throws S3Refusal for an algorithm that is not verified here
 */
export function checksumsOf(
  headers: Readonly<Record<string, unknown>>,
): ReadonlyMap<ChecksumAlgorithm, string> {
  const checksums = new Map<ChecksumAlgorithm, string>();
  for (const [name, value] of Object.entries(headers)) {
    const named = /^x-amz-checksum-(?!algorithm|mode|type)(.+)$/.exec(name)?.[1];
    if (named === undefined || typeof value !== 'string') continue;
    const algorithm = ALGORITHMS.find((known) => known === named);
    if (algorithm === undefined) {
      throw new S3Refusal('NotImplemented', `The local S3 does not verify checksums of ${named}.`);
    }
    checksums.set(algorithm, value);
  }
  return checksums;
}

/** Lets bytes through, counts them and compares: an upload that is not what it says never ends well. */
export class BodyVerifier extends Transform {
  readonly #expected: BodyExpectations;
  readonly #md5 = createHash('md5');
  readonly #sha256: Hash | undefined;
  readonly #sha1: Hash | undefined;
  #crc32 = 0;
  #size = 0;
  #md5Hex: string | undefined;

  constructor(expected: BodyExpectations) {
    super();
    this.#expected = expected;
    const needs = (algorithm: ChecksumAlgorithm): boolean =>
      expected.checksums.has(algorithm) || expected.trailer?.algorithm === algorithm;
    this.#sha1 = needs('sha1') ? createHash('sha1') : undefined;
    const needsSha256 = needs('sha256') || expected.payloadSha256 !== undefined;
    this.#sha256 = needsSha256 ? createHash('sha256') : undefined;
  }

  /** Bytes that have passed. */
  get size(): number {
    return this.#size;
  }

  /** Hex; known once the stream has ended. */
  get md5(): string {
    return this.#md5Hex ?? '';
  }

  override _transform(chunk: Buffer, _encoding: BufferEncoding, callback: TransformCallback): void {
    this.#size += chunk.length;
    const { length, range } = this.#expected;
    if (range !== undefined && this.#size > range.maximum) {
      const detail = { ProposedSize: this.#size, MaxSizeAllowed: range.maximum };
      callback(
        new S3Refusal('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', detail),
      );
      return;
    }
    if (length !== undefined && this.#size > length) {
      callback(incomplete());
      return;
    }
    this.#md5.update(chunk);
    this.#sha256?.update(chunk);
    this.#sha1?.update(chunk);
    this.#crc32 = crc32(chunk, this.#crc32);
    callback(null, chunk);
  }

  override _flush(callback: TransformCallback): void {
    callback(this.#verify() ?? null);
  }

  #verify(): S3Refusal | undefined {
    const { length, range, payloadSha256, md5, checksums, trailer } = this.#expected;
    if (range !== undefined && this.#size < range.minimum) {
      const detail = { ProposedSize: this.#size, MinSizeAllowed: range.minimum };
      return new S3Refusal(
        'EntityTooSmall',
        'Your proposed upload is smaller than the minimum allowed size',
        detail,
      );
    }
    if (length !== undefined && this.#size !== length) return incomplete();
    const md5Digest = this.#md5.digest();
    const sha256Digest = this.#sha256?.digest();
    this.#md5Hex = md5Digest.toString('hex');
    if (payloadSha256 !== undefined && payloadSha256.toLowerCase() !== sha256Digest?.toString('hex')) {
      return new S3Refusal(
        'XAmzContentSHA256Mismatch',
        "The provided 'x-amz-content-sha256' header does not match what was computed.",
      );
    }
    if (md5 !== undefined && md5 !== md5Digest.toString('base64')) {
      return new S3Refusal('BadDigest', 'The Content-MD5 you specified did not match what we received.');
    }
    const crc = Buffer.alloc(4);
    crc.writeUInt32BE(this.#crc32);
    const calculated: Readonly<Record<ChecksumAlgorithm, string | undefined>> = {
      crc32: crc.toString('base64'),
      sha1: this.#sha1?.digest('base64'),
      sha256: sha256Digest?.toString('base64'),
    };
    const trailing = trailer?.read() ?? new Map<ChecksumAlgorithm, string>();
    if (trailer !== undefined && !trailing.has(trailer.algorithm)) return incomplete();
    for (const [algorithm, given] of [...checksums, ...trailing]) {
      if (calculated[algorithm] !== given) {
        const name = algorithm.toUpperCase();
        return new S3Refusal('BadDigest', `The ${name} you specified did not match the calculated checksum.`);
      }
    }
    return undefined;
  }
}

function incomplete(): S3Refusal {
  return new S3Refusal(
    'IncompleteBody',
    'You did not provide the number of bytes specified by the Content-Length HTTP header.',
  );
}
