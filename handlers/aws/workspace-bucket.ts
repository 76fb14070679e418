import type { Readable } from 'node:stream';
import {
  DeleteObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { FileNotFoundError, ObjectNotFoundError } from '../errors.ts';
import type { ByteRange, Workspace } from '../workspace.ts';
import { translateServiceError } from './service-error.ts';
import { openContent } from './upload-content.ts';

/** The first wait before content that broke off is asked for again, in milliseconds. */
const RESUME_AFTER = 200;

/** How many files are deleted at a time; an execution has at most some forty. */
const CONCURRENT_DELETIONS = 10;

/** `Workspace` in an S3 bucket: `<execution>/<name>`. What is never removed, the bucket's lifecycle rule deletes. */
export class WorkspaceBucket implements Workspace {
  readonly #client: S3Client;
  readonly #bucketName: string;

  constructor(settings: { readonly client: S3Client; readonly bucketName: string }) {
    this.#client = settings.client;
    this.#bucketName = settings.bucketName;
  }

  async write(execution: string, name: string, content: Uint8Array): Promise<void> {
    const place = { Bucket: this.#bucketName, Key: `${execution}/${name}` };
    await ask(() => this.#client.send(new PutObjectCommand({ ...place, Body: content })));
  }

  async read(execution: string, name: string): Promise<Uint8Array> {
    const content = await this.open(execution, name, new AbortController().signal);
    const chunks: Uint8Array[] = [];
    for await (const chunk of content) chunks.push(chunk);
    return Buffer.concat(chunks);
  }

  async open(execution: string, name: string, signal: AbortSignal, range?: ByteRange): Promise<Readable> {
    const place = { client: this.#client, bucketName: this.#bucketName, key: `${execution}/${name}` };
    try {
      return await openContent({ ...place, tag: undefined, firstWait: RESUME_AFTER, range }, signal);
    } catch (error) {
      if (error instanceof ObjectNotFoundError)
        throw new FileNotFoundError(execution, name, { cause: error });
      throw error;
    }
  }

  async remove(execution: string): Promise<void> {
    const keys = await this.#keysOf(execution);
    while (keys.length > 0) {
      await Promise.all(keys.splice(0, CONCURRENT_DELETIONS).map((key) => this.#delete(key)));
    }
  }

  /** One page holds a thousand keys, which is more than an execution ever has. */
  async #keysOf(execution: string): Promise<string[]> {
    const page = { Bucket: this.#bucketName, Prefix: `${execution}/` };
    const { Contents } = await ask(() => this.#client.send(new ListObjectsV2Command(page)));
    return (Contents ?? []).flatMap(({ Key }) => Key ?? []);
  }

  async #delete(key: string): Promise<void> {
    await ask(() => this.#client.send(new DeleteObjectCommand({ Bucket: this.#bucketName, Key: key })));
  }
}

async function ask<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  try {
    return await request();
  } catch (error) {
    throw translateServiceError('S3', error);
  }
}
