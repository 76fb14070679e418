import * as v from 'valibot';

/** What is said about the upload of a job's payload, beside the grant itself (`UploadSchema` in http.ts). */

const MEBIBYTE = 1024 ** 2;

/** The largest single upload by PUT or POST, in bytes: 5 GiB (aws-facts 4, "Single PUT max 5 GB"). */
export const MAXIMUM_SINGLE_UPLOAD_BYTES = 5 * 1024 ** 3;

/** The largest upload in parts, in bytes: 5 TiB, S3's documented limit of an object (aws-facts 4, "Multipart"). */
export const MAXIMUM_MULTIPART_UPLOAD_BYTES = 5 * 1024 ** 4;

/**
 * Above this many bytes an upload goes in parts unless the caller says how: 100 MB, from where on AWS recommends
 * it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).
 */
export const MULTIPART_ABOVE_BYTES = 100_000_000;

/** The most parts of an upload (aws-facts 4, "Multipart"). */
export const MAXIMUM_PARTS = 10_000;

/** The least size of a part, in bytes: above S3's 5 MiB; a smaller one costs a request for less than a second's work. */
const MINIMUM_PART_BYTES = 8 * MEBIBYTE;

/**
 * The most URLs of one answer. A URL that a function's role signed takes 1.5 KB and half a millisecond, so they
 * are 300 KB, of the 6 MB that Lambda answers (aws-facts 6), and a tenth of a second.
 */
export const MAXIMUM_PART_URLS = 200;

/**
 * The size of every part but the last, in bytes, for a payload of `size` bytes: whole MiB, as small as 10,000
 * parts allow, because a part that breaks is sent again whole. 8 MiB up to 78 GiB, 525 MiB for 5 TiB.
 */
export function partSizeOf(size: number): number {
  return Math.max(MINIMUM_PART_BYTES, Math.ceil(size / MAXIMUM_PARTS / MEBIBYTE) * MEBIBYTE);
}

/** How many parts a payload of `size` bytes has; their numbers are 1 to this. */
export function partCountOf(size: number): number {
  return Math.max(1, Math.ceil(size / partSizeOf(size)));
}

/** The first byte of a part and the byte after its last. */
export function partRangeOf(
  partNumber: number,
  size: number,
): { readonly start: number; readonly end: number } {
  const partSize = partSizeOf(size);
  return { start: (partNumber - 1) * partSize, end: Math.min(size, partNumber * partSize) };
}

/** The number of a part. */
export const PartNumberSchema = v.pipe(
  v.number(),
  v.safeInteger(),
  v.minValue(1),
  v.maxValue(MAXIMUM_PARTS, `must be at most ${MAXIMUM_PARTS}`),
);

/** The entity tag that S3 answered a part with; with or without its quotes. */
const PartTagSchema = v.pipe(v.string(), v.regex(/^"?[0-9A-Za-z+/=_-]{1,128}"?$/, 'must be an entity tag'));

/** The CRC-32 of the payload: four bytes, the highest first, in base64, as S3 writes it. */
export const Crc32Schema = v.pipe(
  v.string(),
  v.regex(/^[A-Za-z0-9+/]{5}[AQgw]==$/, 'must be four bytes in base64 such as "9NPsZg=="'),
);

/** The body of `POST /jobs/{id}/upload/complete`: every part of the upload, once, in order. */
export const CompleteUploadSchema = v.object({
  parts: v.pipe(
    v.array(v.object({ partNumber: PartNumberSchema, etag: PartTagSchema })),
    v.minLength(1),
    v.maxLength(MAXIMUM_PARTS),
  ),
});

/** The body of `POST /jobs/{id}/upload/progress`: the bytes of the payload that have been sent so far. */
export const UploadProgressSchema = v.object({ sent: v.pipe(v.number(), v.safeInteger(), v.minValue(0)) });

/** A part that S3 has whole. `size` in bytes. */
export const UploadedPartSchema = v.object({
  partNumber: PartNumberSchema,
  etag: PartTagSchema,
  size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
});

/** The upload in parts, as a grant. `next`: the first part whose URL is in no answer yet; absent when all are. */
export const MultipartUploadSchema = v.object({
  method: v.literal('MULTIPART'),
  partSize: v.number(),
  parts: v.array(v.object({ partNumber: v.number(), url: v.string() })),
  next: v.optional(PartNumberSchema),
});

/** See `UploadedPartSchema`. */
export type UploadedPart = v.InferOutput<typeof UploadedPartSchema>;
/** A part as it is named to complete an upload. */
export type CompletedPart = Pick<UploadedPart, 'partNumber' | 'etag'>;
/** See `MultipartUploadSchema`. */
export type MultipartUpload = v.InferOutput<typeof MultipartUploadSchema>;
