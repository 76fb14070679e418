import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, renameSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname, join } from 'node:path';
import { Readable, type Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import S3rver from '@20minutes/s3rver';
import { type BodyExpectations, BodyVerifier } from './s3-body.ts';
import { assembleParts } from './s3-multipart.ts';
import { S3Refusal, sendRefusal } from './s3-refusal.ts';

/** What the storage needs to know of the request that it serves. */
export interface StorageRequest {
  readonly expectations: BodyExpectations;
  /** Takes the encoding of the transfer off the body. */
  readonly decoder?: Transform;
  /** Decides at the last moment, when nothing can come between; throws to refuse. */
  readonly beforeCommit?: () => void;
  /** Awaited when the last byte is on disk, before the object appears. */
  readonly untilComplete?: Promise<void>;
  /** Called once, when the object is there to be read. */
  readonly created?: (object: { readonly size: number; readonly etag: string }) => void;
  /** What is answered instead of "no such key". */
  readonly missingKey?: () => S3Refusal;
}

/** S3's storage and the operations that s3rver does well, without its authentication and its events. */
export interface S3Storage {
  readonly store: S3rver.Store;
  /** Runs one request, already authenticated and authorized, through s3rver. */
  serve(storageRequest: StorageRequest, request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Stores an object outside of s3rver (forms). */
  put(storageRequest: StorageRequest, object: S3rver.ObjectToStore): Promise<S3rver.StoredContent>;
  /** The object's file of content; whether it exists decides whether the object does. */
  exists(bucket: string, key: string): boolean;
  close(): void;
}

const NOTHING_EXPECTED: StorageRequest = { expectations: { checksums: new Map() } };

/**
 * Opens the storage under `directory`. s3rver writes an object in place and then checks nothing; here content
 * goes to a file beside, is verified while it streams, and is renamed when all is well. So an upload that is
 * cut off or refused leaves the old object, or none.
 */
export async function openStorage(
  directory: string,
  buckets: readonly string[],
  log: (line: string) => void,
): Promise<S3Storage> {
  const incoming = join(directory, 'incoming');
  // What an earlier run was receiving when it ended.
  await rm(incoming, { recursive: true, force: true });
  await mkdir(incoming, { recursive: true });
  const root = join(directory, 'buckets');
  await mkdir(root, { recursive: true });
  const s3rver = new S3rver({ directory: root, silent: true, vhostBuckets: false });
  const { store } = s3rver;
  for (const bucket of buckets) await store.putBucket(bucket);
  const requests = new AsyncLocalStorage<StorageRequest>();

  store.putContent = async (path, content) => {
    const { expectations, decoder } = requests.getStore() ?? NOTHING_EXPECTED;
    const draft = join(incoming, randomUUID());
    const verifier = new BodyVerifier(expectations);
    const source = Buffer.isBuffer(content) ? Readable.from([content]) : content;
    try {
      await (decoder === undefined
        ? pipeline(source, verifier, createWriteStream(draft))
        : pipeline(source, decoder, verifier, createWriteStream(draft)));
      await mkdir(dirname(path), { recursive: true });
      renameSync(draft, path);
    } catch (error) {
      await rm(draft, { force: true });
      throw error;
    }
    return [verifier.size, verifier.md5];
  };

  // s3rver writes over what is there, and who reads meanwhile would get half of it: an object without its ETag.
  const { putMetadata } = store;
  store.putMetadata = async (bucket, key, metadata, md5) => {
    const draft = join(incoming, randomUUID());
    const inDraft = { getResourcePath: (_: string, __: unknown, resource: string) => `${draft}.${resource}` };
    await putMetadata.call(inDraft, bucket, key, metadata, md5);
    for (const resource of ['object.md5', 'metadata.json']) {
      if (!existsSync(`${draft}.${resource}`)) continue; // the parts of an upload have no ETag together yet
      renameSync(`${draft}.${resource}`, store.getResourcePath(bucket, key, resource));
    }
  };

  // One commit after another, so that nothing comes between a precondition and the write that it allows.
  let commits: Promise<unknown> = Promise.resolve();
  const commit = async (object: S3rver.ObjectToStore, draft: string, size: number, md5: string) => {
    const current = requests.getStore() ?? NOTHING_EXPECTED;
    try {
      await current.untilComplete;
      const appear = commits.then(async () => {
        const path = store.getResourcePath(object.bucket, object.key, 'object');
        await mkdir(dirname(path), { recursive: true });
        current.beforeCommit?.();
        await store.putMetadata(object.bucket, object.key, object.metadata, md5);
        renameSync(draft, path);
      });
      // Whoever comes next waits for the end of this one, not for its success.
      commits = appear.catch(() => undefined);
      await appear;
    } catch (error) {
      await rm(draft, { force: true });
      throw keyError(error);
    }
    current.created?.({ size, etag: md5 });
    return { size, md5 };
  };

  store.putObject = async (object) => {
    const draft = join(incoming, `${randomUUID()}.object`);
    const [size, md5] = await store.putContent(draft, object.content);
    return commit(object, draft, size, md5);
  };

  store.putObjectMultipart = async (bucket, uploadId, parts) => {
    const draft = join(incoming, `${randomUUID()}.object`);
    const uploads = store.getResourcePath(bucket, undefined, 'uploads');
    const assembled = await assembleParts(join(uploads, uploadId), parts, draft);
    const { key, metadata, size, etag } = assembled;
    const stored = await commit({ bucket, key, content: Buffer.alloc(0), metadata }, draft, size, etag);
    await rm(join(uploads, uploadId), { recursive: true, force: true });
    return stored;
  };

  const copy = store.copyObject.bind(store);
  store.copyObject = async (sourceBucket, sourceKey, bucket, key, metadata) => {
    const copied = await copy(sourceBucket, sourceKey, bucket, key, metadata);
    const etag = copied.etag.replaceAll('"', '');
    requests.getStore()?.created?.({ size: copied['content-length'], etag });
    return copied;
  };

  // s3rver takes the range "0-0" for the whole object.
  const getWhole = store.getObject.bind(store);
  store.getObject = async (bucket, key, options) => {
    const object = await getWhole(bucket, key, options);
    if (object?.content == null || options?.end !== 0) return object;
    object.content.destroy();
    object.range = { start: 0, end: 0 };
    object.content = createReadStream(store.getResourcePath(bucket, key, 'object'), { start: 0, end: 0 });
    return object;
  };

  // Requests arrive here authenticated and authorized, with the traces of that taken off; overriding response
  // headers is for the authenticated only.
  s3rver.middleware.unshift((context, next) => {
    context.state['account'] = {};
    return next();
  });
  const answerError = s3rver.context.onerror;
  s3rver.context.onerror = function (error) {
    const missing = isNamed(error, 'NoSuchKey') ? requests.getStore()?.missingKey?.() : undefined;
    const refusal = error instanceof S3Refusal ? error : missing;
    if (refusal === undefined) answerError.call(this, error);
    else sendRefusal(this.req, this.res, refusal);
  };
  s3rver.on('error', (error, { req, res }) => {
    // Those with a status below 500 are answers; and a client that goes away is its own affair. A reset is always a
    // client's, since nothing here connects to anybody; a small body may be complete by then.
    const answered = 'expose' in error && error.expose === true;
    const code = 'code' in error ? String(error.code) : '';
    const isGone = !req.complete || res.destroyed;
    const cutOff = code === 'ECONNRESET' || (isGone && /^(HPE_|ERR_STREAM_PREMATURE_CLOSE$)/.test(code));
    if (!answered && !cutOff) log(`S3: ${error.stack ?? error.message}`);
  });
  const handle = s3rver.callback();

  return {
    store,
    serve: (storageRequest, request, response) =>
      requests.run(storageRequest, () => handle(request, response)),
    put: (storageRequest, object) => requests.run(storageRequest, () => store.putObject(object)),
    exists: (bucket, key) => existsSync(store.getResourcePath(bucket, key, 'object')),
    close: () => {
      s3rver.logger.exceptions.unhandle();
      s3rver.logger.close();
    },
  };
}

/** A key may have 1024 bytes, but a file system allows 255 for one name. */
function keyError(error: unknown): unknown {
  if (!isNamed(error, 'ENAMETOOLONG')) return error;
  return new S3Refusal(
    'KeyTooLongError',
    'Your key is too long for the local file system',
    {},
    { cause: error },
  );
}

function isNamed(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
