import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import { ACCOUNT } from '../account.ts';
import type { Clock } from '../clock.ts';
import { listen } from '../gateway/listening-server.ts';
import { denial, isAllowed, type Principal, type Principals } from '../permissions/principal.ts';
import { authenticate } from '../permissions/signature.ts';
import { HOST, type RunningService } from './running-service.ts';
import { checkRead, writePrecondition } from './s3-conditions.ts';
import { allowOrigin, answerPreflight, type CorsRule } from './s3-cors.ts';
import { listParts } from './s3-list-parts.ts';
import { readUpload, removeUnlessBegun } from './s3-multipart.ts';
import { type ObjectCreated, type ObjectCreatedReason, sequencers } from './s3-object-created.ts';
import { listPermission, operationOf, permissionsOf, type S3Operation } from './s3-operation.ts';
import { answerPost } from './s3-post.ts';
import { authenticationRefusal, S3Refusal, sendRefusal } from './s3-refusal.ts';
import { openStorage, type S3Storage, type StorageRequest } from './s3-store.ts';
import { uploadOf } from './s3-upload.ts';

/** A bucket, named like the properties of `AWS::S3::Bucket`. */
export interface BucketSettings {
  readonly BucketName: string;
  readonly CorsRules?: readonly CorsRule[];
}

/** How S3 is to run here. */
export interface S3Settings {
  /** 0 for a free one. */
  readonly port: number;
  /** Where objects are kept; they survive a restart. */
  readonly directory: string;
  readonly buckets: readonly BucketSettings[];
  readonly principals: Principals;
  readonly clock: Clock;
  /** Called when an object is there to be read, before its uploader is answered. */
  readonly onObjectCreated: (created: ObjectCreated) => void;
  /** Told of every request once it is over; for those who count. */
  readonly onServed?: (served: ServedRequest) => void;
  readonly log: (line: string) => void;
}

/** A request that was allowed, and whose answer has been sent. */
export interface ServedRequest {
  readonly operation: S3Operation;
  /** The HTTP status. */
  readonly status: number;
  /** Bytes of the answer's body, as its head announced them. */
  readonly bytes: number;
}

interface RunningStorage {
  readonly settings: S3Settings;
  readonly storage: S3Storage;
  readonly nextSequencer: () => string;
}

/** Parameters of the query that only sign; the rest of it is s3rver's to read. */
const SIGNING_PARAMETERS = new Set(
  [
    'Algorithm',
    'Credential',
    'Date',
    'Expires',
    'SignedHeaders',
    'Signature',
    'Content-Sha256',
    'Security-Token',
  ].map((name) => `X-Amz-${name}`),
);

const REASONS: Readonly<Partial<Record<S3Operation['kind'], ObjectCreatedReason>>> = {
  put: 'PutObject',
  'post-object': 'POST Object',
  copy: 'CopyObject',
  'complete-multipart': 'CompleteMultipartUpload',
};

/**
 * Starts S3 with path-style addresses. s3rver, in this process, keeps objects and reads, lists, copies and
 * deletes them; in front of it stand what it lacks or does otherwise than S3: signatures (it knows no trailing
 * checksums, and lets everybody in who has none), permissions, CORS, POST policies, verified uploads.
 *
 * @throws the system's error if the port is taken
 */
export async function startS3(settings: S3Settings): Promise<RunningService> {
  const names = settings.buckets.map(({ BucketName }) => BucketName);
  const storage = await openStorage(settings.directory, names, settings.log);
  const running = { settings, storage, nextSequencer: sequencers(() => settings.clock.now()) };
  // An upload may take longer than Node's default of five minutes for one request.
  const listening = await listen(HOST, settings.port, { requestTimeout: 0 });
  const serve = (request: IncomingMessage, response: ServerResponse): void => {
    void answer(running, request, response);
  };
  listening.server.on('request', serve);
  // A client that asks first is told of a refusal before it sends its file.
  listening.server.on('checkContinue', serve);
  return {
    endpoint: `http://${HOST}:${listening.port}`,
    port: listening.port,
    close: async () => {
      await listening.close();
      storage.close();
    },
  };
}

/** Answers one request; never rejects. */
async function answer(
  running: RunningStorage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setHeader('x-amz-request-id', randomBytes(8).toString('hex').toUpperCase());
  try {
    await answerOrRefuse(running, request, response);
  } catch (error) {
    if (!(error instanceof S3Refusal)) running.settings.log(`S3: ${String(error)}`);
    const refusal =
      error instanceof S3Refusal
        ? error
        : new S3Refusal('InternalError', 'We encountered an internal error. Please try again.');
    if (refusal.code === 'AccessDenied') running.settings.log(`S3: ${refusal.message}`);
    sendRefusal(request, response, refusal);
  }
}

async function answerOrRefuse(
  running: RunningStorage,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const { settings, storage } = running;
  const method = request.method ?? 'GET';
  const url = parsedUrl(request.url ?? '/');
  const bucket = settings.buckets.find(({ BucketName }) => BucketName === url.pathname.split('/')[1]);
  if (method === 'OPTIONS') return answerPreflight(bucket?.CorsRules ?? [], request, response);
  allowOrigin(bucket?.CorsRules ?? [], request, response);
  const header = (name: string): string | undefined => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join() : value;
  };
  const operation = operationOf(method, url, header);
  if (operation.kind === 'post-object') {
    if (bucket === undefined) throw noSuchBucket(operation.bucket);
    continueIfAsked(request, response);
    return await answerPost(
      {
        storage,
        bucket: operation.bucket,
        principals: settings.principals,
        now: settings.clock.now(),
        authorize: (principal, key) =>
          authorize(principal, [
            { action: 's3:PutObject', resource: `arn:aws:s3:::${operation.bucket}/${key}` },
          ]),
        created: (key, object) => tell(running, request, response, { ...operation, key }, object),
      },
      request,
      response,
    );
  }
  const caller = authenticate(
    { method, url: request.url ?? '/', headers: request.headers },
    settings.principals,
    { service: 's3', now: settings.clock.now() },
  );
  if (caller.kind === 'refused') throw authenticationRefusal(caller.refusal);
  const { principal } = caller;
  authorize(principal, permissionsOf(operation));
  response.once('close', () => {
    const bytes = Number(response.getHeader('content-length') ?? 0);
    settings.onServed?.({ operation, status: response.statusCode, bytes });
  });
  if (operation.kind !== 'list-buckets' && bucket === undefined) throw noSuchBucket(operation.bucket);
  await checkUpload(storage, operation);
  if (operation.kind === 'abort-multipart') {
    // A part that arrives at this moment may write into the folder while it is being emptied.
    await rm(uploadDirectory(storage, operation), { recursive: true, maxRetries: 10, retryDelay: 10 });
    response.writeHead(204).end();
    return;
  }
  if (operation.kind === 'list-parts') {
    const directory = uploadDirectory(storage, operation);
    const parts = await listParts({ ...operation, directory }, url.searchParams);
    response.writeHead(200, { 'content-type': 'application/xml' }).end(parts);
    return;
  }
  if (operation.kind === 'get' || operation.kind === 'head') await checkRead(storage, operation, request);
  const upload =
    operation.kind === 'put' || operation.kind === 'upload-part' ? uploadOf(request.headers) : undefined;
  const storageRequest: StorageRequest = {
    expectations: upload?.expectations ?? { checksums: new Map() },
    ...(upload?.decoder === undefined ? {} : { decoder: upload.decoder }),
    ...(operation.kind === 'put' ? { beforeCommit: writePrecondition(storage, operation, request) } : {}),
    created: (object) => tell(running, request, response, operation, object),
    missingKey: () => missingKey(principal, operation),
  };
  removeTraces(request, url);
  continueIfAsked(request, response);
  await storage.serve(storageRequest, request, response);
  // A part that was on its way while its upload was given up: stored after that, it would lie there for ever.
  if (operation.kind === 'upload-part') await removeUnlessBegun(uploadDirectory(storage, operation));
}

/** What Signature Version 4 left behind would make s3rver check it again, and fail where it does so wrongly. */
function removeTraces(request: IncomingMessage, url: URL): void {
  delete request.headers.authorization;
  delete request.headers['x-amz-content-sha256'];
  const encoding = request.headers['content-encoding'];
  if (encoding !== undefined) {
    const kept = encoding.split(',').filter((name) => name.trim() !== 'aws-chunked');
    if (kept.length > 0) request.headers['content-encoding'] = kept.join().trim();
    else delete request.headers['content-encoding'];
  }
  for (const name of [...url.searchParams.keys()]) {
    if (SIGNING_PARAMETERS.has(name)) url.searchParams.delete(name);
  }
  request.url = `${url.pathname}${url.search}`;
}

/** With the listener of 'checkContinue' it is for us to say that the body may come. */
function continueIfAsked(request: IncomingMessage, response: ServerResponse): void {
  if (request.headers.expect?.toLowerCase() === '100-continue') response.writeContinue();
}

function authorize(principal: Principal, permissions: ReturnType<typeof permissionsOf>): void {
  for (const { action, resource } of permissions) {
    const message = denial(principal, action, resource);
    if (message !== undefined) throw new S3Refusal('AccessDenied', message);
  }
}

async function checkUpload(storage: S3Storage, operation: S3Operation): Promise<void> {
  if (!('uploadId' in operation)) return;
  const { key } = await readUpload(uploadDirectory(storage, operation));
  if (key !== operation.key) {
    throw new S3Refusal('NoSuchUpload', 'The specified upload does not exist. The key is another one.');
  }
}

function uploadDirectory(storage: S3Storage, operation: { bucket: string; uploadId: string }): string {
  return join(storage.store.getResourcePath(operation.bucket, undefined, 'uploads'), operation.uploadId);
}

function noSuchBucket(bucket: string): S3Refusal {
  return new S3Refusal('NoSuchBucket', 'The specified bucket does not exist', { BucketName: bucket });
}

/** Who may not list a bucket is not told what is missing in it (S3 API, GetObject). */
function missingKey(principal: Principal, operation: S3Operation): S3Refusal {
  const bucket = 'bucket' in operation ? operation.bucket : '';
  const { action, resource } = listPermission(bucket);
  if (isAllowed(principal, action, resource)) {
    const key = 'key' in operation ? operation.key : '';
    return new S3Refusal('NoSuchKey', 'The specified key does not exist.', { Key: key });
  }
  return new S3Refusal('AccessDenied', denial(principal, action, resource) ?? 'Access Denied');
}

function tell(
  { settings, nextSequencer }: RunningStorage,
  request: IncomingMessage,
  response: ServerResponse,
  operation: S3Operation & { readonly key?: string },
  object: { readonly size: number; readonly etag: string },
): void {
  const reason = REASONS[operation.kind];
  if (reason === undefined || !('bucket' in operation) || operation.key === undefined) return;
  settings.onObjectCreated({
    bucket: operation.bucket,
    key: operation.key,
    ...object,
    reason,
    requester: ACCOUNT,
    sourceIp: request.socket.remoteAddress ?? HOST,
    sequencer: nextSequencer(),
    requestId: String(response.getHeader('x-amz-request-id')),
    time: settings.clock.now(),
  });
}

function parsedUrl(text: string): URL {
  // Not resolved against the path before: "/.." must not become another bucket.
  if (/(^|\/)\.\.?(\/|$|\?)|%2e/i.test(text.split('?', 1)[0] ?? '')) {
    throw new S3Refusal('InvalidURI', "Couldn't parse the specified URI.");
  }
  return new URL(text, `http://${HOST}`);
}
