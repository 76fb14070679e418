import { PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { createPresignedPost } from '@aws-sdk/s3-presigned-post';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { Upload } from '../../protocol/http.ts';
import { InvalidReportError, RefusedError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { uploadKeyOf } from './object-key.ts';

/** The longest life of a presigned URL, in seconds: seven days (aws-facts 4, "Presigned PUT"). */
const MAXIMUM_SECONDS = 7 * 24 * 60 * 60;

/** What is signed, and until when it is valid. `seconds` from now. */
export interface GrantSettings {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly seconds: number;
}

/**
 * Signs exactly the size and type that were announced: S3 itself refuses whatever differs.
 * @throws RefusedError for uploads in parts, which are not offered yet.
 */
export async function grantUpload(record: JobRecord, settings: GrantSettings): Promise<Upload> {
  const { input } = record.job;
  if (input === undefined) throw new InvalidReportError('input: must be known before an upload is granted');
  const seconds = Math.min(MAXIMUM_SECONDS, Math.max(1, Math.floor(settings.seconds)));
  const bounded = { ...settings, seconds };
  switch (record.upload) {
    case 'put':
      return grantPut(uploadKeyOf(record), input, bounded);
    case 'post':
      return grantPost(uploadKeyOf(record), input, bounded);
    case 'multipart':
      throw new RefusedError('S3', 'uploads in parts are not offered yet');
  }
}

type Announced = { readonly contentType: string; readonly size: number };

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
  });
  const url = await getSignedUrl(settings.client, command, {
    expiresIn: settings.seconds,
    signableHeaders: new Set(['host', 'content-length', 'content-type']), // the type is not signed by default
  });
  return { method: 'PUT', url, headers: { 'content-type': input.contentType } };
}

/** Every field must be sent, then the file as the last one; 201 instead of 204 tells a page what was stored. */
async function grantPost(key: string, input: Announced, settings: GrantSettings): Promise<Upload> {
  const { url, fields } = await createPresignedPost(settings.client, {
    Bucket: settings.bucketName,
    Key: key,
    Fields: { 'Content-Type': input.contentType, success_action_status: '201' },
    Conditions: [['content-length-range', input.size, input.size]],
    Expires: settings.seconds,
  });
  return { method: 'POST', url, fields };
}
