import type { IncomingHttpHeaders } from 'node:http';
import { type BodyExpectations, type ChecksumAlgorithm, checksumsOf } from './s3-body.ts';
import { ChunkedBodyDecoder } from './s3-chunked-body.ts';
import { S3Refusal } from './s3-refusal.ts';

/** How the body of an upload is to be read, and what it must be like. */
export interface Upload {
  readonly expectations: BodyExpectations;
  readonly decoder: ChunkedBodyDecoder | undefined;
}

/** Bytes of one PUT (S3UG:upload-objects: 5 GB). */
const MAXIMUM_OBJECT_BYTES = 5 * 1024 ** 3;

/**
 * Reads from the headers what an upload says of itself. Checksums in the query of a presigned URL are ignored,
 * as S3 does by most accounts (aws-facts 4).
 *
 * @throws S3Refusal if they do not say how large it is, or say it in a way that is not known here
 */
export function uploadOf(headers: IncomingHttpHeaders): Upload {
  const payload = String(headers['x-amz-content-sha256'] ?? 'UNSIGNED-PAYLOAD');
  const checksums = checksumsOf(headers);
  const md5 = headers['content-md5'];
  const common = { checksums, ...(typeof md5 === 'string' ? { md5 } : {}) };
  if (payload === 'STREAMING-UNSIGNED-PAYLOAD-TRAILER') {
    const decoder = new ChunkedBodyDecoder();
    const length = lengthOf(headers['x-amz-decoded-content-length']);
    const algorithm = trailerAlgorithm(headers['x-amz-trailer']);
    const trailer = algorithm && { algorithm, read: () => decoder.trailingChecksums() };
    return { decoder, expectations: { ...common, length, ...(trailer === undefined ? {} : { trailer }) } };
  }
  const length = lengthOf(headers['content-length']);
  if (payload === 'UNSIGNED-PAYLOAD') return { decoder: undefined, expectations: { ...common, length } };
  if (/^[0-9a-f]{64}$/i.test(payload)) {
    return { decoder: undefined, expectations: { ...common, length, payloadSha256: payload } };
  }
  throw new S3Refusal('NotImplemented', `The local S3 does not know the payload ${payload}.`);
}

function lengthOf(header: string | readonly string[] | undefined): number {
  const length = Number(header);
  if (typeof header !== 'string' || !Number.isSafeInteger(length) || length < 0) {
    throw new S3Refusal('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  if (length > MAXIMUM_OBJECT_BYTES) {
    throw new S3Refusal('EntityTooLarge', 'Your proposed upload exceeds the maximum allowed size', {
      ProposedSize: length,
      MaxSizeAllowed: MAXIMUM_OBJECT_BYTES,
    });
  }
  return length;
}

function trailerAlgorithm(header: string | readonly string[] | undefined): ChecksumAlgorithm | undefined {
  if (typeof header !== 'string') return undefined;
  const [algorithm] = checksumsOf({ [header.trim().toLowerCase()]: '' }).keys();
  return algorithm;
}
