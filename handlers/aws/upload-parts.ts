import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  ListPartsCommand,
  type ListPartsCommandOutput,
  type S3Client,
} from '@aws-sdk/client-s3';
import type { Input } from '../../protocol/job.ts';
import type { CompletedPart, UploadedPart } from '../../protocol/upload.ts';
import {
  MalformedDataError,
  PartsRefusedError,
  type RefusedError,
  type UnavailableError,
  UploadNotFoundError,
} from '../errors.ts';
import { nameOf, translateServiceError } from './service-error.ts';

/** Where an object is, or will be once its parts are put together. */
export interface PlaceOfParts {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly key: string;
}

/** An upload in parts that has begun. */
export interface BegunUpload extends PlaceOfParts {
  readonly uploadId: string;
}

/** Begins an upload in parts; answers its id. @throws UnavailableError, RefusedError. */
export async function beginParts(place: PlaceOfParts, input: Input | undefined): Promise<string> {
  const answer = await ask(place.key, () =>
    place.client.send(
      new CreateMultipartUploadCommand({
        Bucket: place.bucketName,
        Key: place.key,
        ContentType: input?.contentType,
      }),
    ),
  );
  if (answer.UploadId === undefined) throw new MalformedDataError("S3's answer");
  return answer.UploadId;
}

/** The parts that are there, from number `from` on. @throws UploadNotFoundError, UnavailableError, RefusedError. */
export async function listParts(upload: BegunUpload, from: number): Promise<readonly UploadedPart[]> {
  const found: UploadedPart[] = [];
  let marker: string | undefined = String(from - 1);
  while (marker !== undefined) {
    const command = new ListPartsCommand({ ...nameOfUpload(upload), PartNumberMarker: marker });
    const answer: ListPartsCommandOutput = await ask(upload.key, () => upload.client.send(command));
    for (const { PartNumber: partNumber, ETag: etag, Size: size } of answer.Parts ?? []) {
      if (partNumber === undefined || etag === undefined || size === undefined) {
        throw new MalformedDataError("S3's answer");
      }
      found.push({ partNumber, etag, size });
    }
    marker = answer.IsTruncated === true ? answer.NextPartNumberMarker : undefined;
  }
  return found;
}

/** Makes the object. @throws PartsRefusedError, UploadNotFoundError, UnavailableError, RefusedError. */
export async function completeParts(upload: BegunUpload, parts: readonly CompletedPart[]): Promise<void> {
  const Parts = parts.map(({ partNumber, etag }) => ({ PartNumber: partNumber, ETag: etag }));
  const command = new CompleteMultipartUploadCommand({ ...nameOfUpload(upload), MultipartUpload: { Parts } });
  await ask(upload.key, () => upload.client.send(command));
}

/** Deletes the parts. @throws UploadNotFoundError, UnavailableError, RefusedError. */
export async function abortParts(upload: BegunUpload): Promise<void> {
  await ask(upload.key, () => upload.client.send(new AbortMultipartUploadCommand(nameOfUpload(upload))));
}

/** How S3's commands name an upload in parts. */
export function nameOfUpload({ bucketName, key, uploadId }: BegunUpload) {
  return { Bucket: bucketName, Key: key, UploadId: uploadId };
}

async function ask<Answer>(key: string, send: () => Promise<Answer>): Promise<Answer> {
  try {
    return await send();
  } catch (error) {
    throw translated(key, error);
  }
}

function translated(
  key: string,
  error: unknown,
): PartsRefusedError | UploadNotFoundError | UnavailableError | RefusedError {
  const code = nameOf(error);
  switch (code) {
    case 'NoSuchUpload':
      return new UploadNotFoundError(key, { cause: error });
    case 'InvalidPart':
    case 'InvalidPartOrder':
    case 'EntityTooSmall':
      return new PartsRefusedError(code, { cause: error });
    default:
      return translateServiceError('S3', error);
  }
}
