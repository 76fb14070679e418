import { PutObjectCommand, type S3Client, UploadPartCommand } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Upload } from '../../protocol/http.ts';
import {
  MAXIMUM_PART_URLS,
  type MultipartUpload,
  partCountOf,
  partRangeOf,
  partSizeOf,
} from '../../protocol/upload.ts';
import { InvalidReportError } from '../errors.ts';
import type { JobRecord, WantedParts } from '../ports.ts';
import { uploadKeyOf } from './object-key.ts';
import { type BegunUpload, nameOfUpload } from './upload-parts.ts';

/** The longest life of a presigned URL, in seconds: seven days (aws-facts 4, "Presigned PUT"). */
const MAXIMUM_SECONDS = 7 * 24 * 60 * 60;

/** What is signed, and until when it is valid. `seconds` from now. */
export interface GrantSettings {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly seconds: number;
}

/** Every part of an upload. */
const ALL_PARTS: WantedParts = { from: 1, uploaded: new Set() };

/**
 * Signs exactly the size and type that were announced: S3 itself refuses whatever differs. Of an upload in parts
 * the type was said when it began, and the size is that of each part.
 */
export async function grantUpload(
  record: JobRecord,
  settings: GrantSettings,
  wanted: WantedParts = ALL_PARTS,
): Promise<Upload> {
  const { input } = record.job;
  if (input === undefined) throw new InvalidReportError('input: must be known before an upload is granted');
  const seconds = Math.min(MAXIMUM_SECONDS, Math.max(1, Math.floor(settings.seconds)));
  const bounded = { ...settings, seconds };
  const key = uploadKeyOf(record);
  const { uploadId, crc32 } = record;
  const announced = { ...input, ...(crc32 === undefined ? {} : { crc32 }) };
  switch (record.upload) {
    case 'put':
      return grantPut(key, announced, bounded);
    case 'post':
      return grantPost(key, announced, bounded);
    case 'multipart':
      if (uploadId === undefined)
        throw new InvalidReportError('uploadId: must be known of an upload in parts');
      return grantParts({ ...bounded, key, uploadId }, input.size, bounded.seconds, wanted);
  }
}

interface Announced {
  readonly contentType: string;
  readonly size: number;
  readonly crc32?: string;
}

/** A header, and a field of a form, that S3 holds the payload to (aws-facts 4, "Presigned PUT"). */
const CRC32 = 'x-amz-checksum-crc32';

/**
 * `Content-Length` is signed too, but left out of `headers`: browsers forbid a page to set it, and every
 * HTTP client sends it by itself for a body of known size (`curl -T file`). A chunked upload (`curl -T -`)
 * sends none and is refused.
 */
async function grantPut(key: string, input: Announced, settings: GrantSettings): Promise<Upload> {
  const command = new PutObjectCommand({
    Bucket: settings.bucketName,
    Key: key,
    ContentLength: input.size,
    ContentType: input.contentType,
    ...(input.crc32 === undefined ? {} : { ChecksumCRC32: input.crc32 }),
  });
  const url = await getSignedUrl(settings.client, command, {
    expiresIn: settings.seconds,
    signableHeaders: new Set(['host', 'content-length', 'content-type']), // the type is not signed by default
    unhoistableHeaders: new Set([CRC32]), // in the query S3 would ignore it (aws-facts 4)
  });
  const checksum = input.crc32 === undefined ? {} : { [CRC32]: input.crc32 };
  return { method: 'PUT', url, headers: { 'content-type': input.contentType, ...checksum } };
}

/** Every field must be sent, then the file as the last one; 201 instead of 204 tells a page what was stored. */
async function grantPost(key: string, input: Announced, settings: GrantSettings): Promise<Upload> {
  const checksum =
    input.crc32 === undefined ? {} : { 'x-amz-checksum-algorithm': 'CRC32', [CRC32]: input.crc32 };
  const { url, fields } = await createPresignedPost(settings.client, {
    Bucket: settings.bucketName,
    Key: key,
    Fields: { 'Content-Type': input.contentType, success_action_status: '201', ...checksum },
    Conditions: [['content-length-range', input.size, input.size]],
    Expires: settings.seconds,
  });
  return { method: 'POST', url, fields };
}

/**
 * The URLs of the wanted parts, each for exactly the bytes of its part. No checksum: S3 takes one for a part only
 * where all parts have one, so that whoever sends a part by hand would have to compute it (docs/decisions/0012).
 */
async function grantParts(
  upload: BegunUpload,
  size: number,
  seconds: number,
  { from, uploaded }: WantedParts,
): Promise<MultipartUpload> {
  const wanted = Array.from(
    { length: Math.max(0, partCountOf(size) - from + 1) },
    (_, index) => from + index,
  );
  const missing = wanted.filter((partNumber) => !uploaded.has(partNumber));
  const next = missing[MAXIMUM_PART_URLS];
  const parts = await Promise.all(
    missing.slice(0, MAXIMUM_PART_URLS).map(async (partNumber) => {
      const { start, end } = partRangeOf(partNumber, size);
      const command = new UploadPartCommand({
        ...nameOfUpload(upload),
        PartNumber: partNumber,
        ContentLength: end - start,
      });
      const signableHeaders = new Set(['host', 'content-length']);
      const url = await getSignedUrl(upload.client, command, { expiresIn: seconds, signableHeaders });
      return { partNumber, url };
    }),
  );
  return { method: 'MULTIPART', partSize: partSizeOf(size), parts, ...(next === undefined ? {} : { next }) };
}
