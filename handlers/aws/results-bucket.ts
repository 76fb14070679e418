import { GetObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { getSignedUrl } from '@aws-sdk/s3-request-presigner';
import type { JobRecord, Results } from '../ports.ts';
import { resultKeyOf } from './object-key.ts';
import { translateServiceError } from './service-error.ts';

/** `Results` in an S3 bucket. */
export class ResultsBucket implements Results {
  readonly #client: S3Client;
  readonly #bucketName: string;

  constructor(settings: { readonly client: S3Client; readonly bucketName: string }) {
    this.#client = settings.client;
    this.#bucketName = settings.bucketName;
  }

  async write(record: JobRecord, body: Uint8Array, contentType: string): Promise<void> {
    const command = new PutObjectCommand({
      Bucket: this.#bucketName,
      Key: resultKeyOf(record),
      Body: body,
      ContentType: contentType,
      // A result is what a processor made of a stranger's file: saved, never run as a page of the bucket's.
      ContentDisposition: `attachment; filename*=UTF-8''${fileNameOf(record, contentType)}`,
    });
    try {
      await this.#client.send(command);
    } catch (error) {
      throw translateServiceError('S3', error);
    }
  }

  async link(record: JobRecord, seconds: number): Promise<string> {
    const command = new GetObjectCommand({ Bucket: this.#bucketName, Key: resultKeyOf(record) });
    return getSignedUrl(this.#client, command, { expiresIn: seconds });
  }
}

/** `<name of the upload>.result.<subtype>`, as RFC 8187 writes it. */
function fileNameOf(record: JobRecord, contentType: string): string {
  const upload = record.job.input?.fileName ?? record.job.id;
  const subtype =
    contentType
      .split(';')[0]
      ?.split('/')[1]
      ?.replace(/^.*[.+]/, '') ?? 'bin';
  return encodeURIComponent(`${upload}.result.${subtype}`).replace(
    /['()*!]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
