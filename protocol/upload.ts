import * as v from 'valibot';
import { MAXIMUM_PARTS } from './upload-limits.ts';

/** What is said about the upload of a job's payload, beside the grant itself (`UploadSchema` in http.ts). */

export * from './upload-limits.ts';

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
