import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import busboy from 'busboy';
import type { Principal, Principals } from '../permissions/principal.ts';
import { isSignedBy, parseCredential } from '../permissions/signature.ts';
import { checksumsOf } from './s3-body.ts';
import { checkKey } from './s3-operation.ts';
import { checkPostPolicy, parsePostPolicy } from './s3-post-policy.ts';
import { S3Refusal, xmlOf } from './s3-refusal.ts';
import type { S3Storage } from './s3-store.ts';

/** What a form that is posted to a bucket is checked and stored with. */
export interface PostContext {
  readonly storage: S3Storage;
  readonly bucket: string;
  readonly principals: Principals;
  /** Milliseconds since the epoch. */
  readonly now: number;
  /** Throws unless the principal may create the key. */
  readonly authorize: (principal: Principal, key: string) => void;
  readonly created: (key: string, object: { readonly size: number; readonly etag: string }) => void;
}

/** Bytes of all fields before the file (S3 API, POST Object; aws-facts 4: 20 KB). */
const MAXIMUM_FIELD_BYTES = 20 * 1024;

/** Bytes of one object (S3 API, POST Object: 5 GB). */
const MAXIMUM_OBJECT_BYTES = 5 * 1024 ** 3;

interface StoredForm {
  readonly fields: ReadonlyMap<string, string>;
  readonly key: string;
  readonly etag: string;
}

/**
 * Answers a browser's form upload (POST Object). s3rver stores any form from anybody; here the policy, its
 * signature and every field are checked before the first byte of the file is written, and the file streams to
 * disk. The object appears only when the whole form is there.
 *
 * @throws S3Refusal
 */
export async function answerPost(
  context: PostContext,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.headers['content-length'] === undefined) {
    throw new S3Refusal('MissingContentLength', 'You must provide the Content-Length HTTP header.');
  }
  const { fields, key, etag } = await readForm(context, request);
  const location = `http://${request.headers.host ?? ''}/${context.bucket}/${encodeURIComponent(key)}`;
  response.setHeader('ETag', `"${etag}"`);
  const redirect = fields.get('success_action_redirect') ?? fields.get('redirect');
  const redirectTo = redirect === undefined ? undefined : parsedUrl(redirect);
  if (redirectTo !== undefined) {
    for (const [name, value] of Object.entries({ bucket: context.bucket, key, etag: `"${etag}"` })) {
      redirectTo.searchParams.set(name, value);
    }
    response.writeHead(303, { Location: redirectTo.href, 'Content-Length': 0 }).end();
    return;
  }
  response.setHeader('Location', location);
  const status = fields.get('success_action_status');
  if (status === '201') {
    const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<PostResponse>${xmlOf({ Location: location, Bucket: context.bucket, Key: key, ETag: `"${etag}"` })}</PostResponse>`;
    response.writeHead(201, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(xml) });
    response.end(xml);
    return;
  }
  if (status === '200') response.writeHead(200, { 'Content-Length': 0 }).end();
  else response.writeHead(204).end();
}

async function readForm(context: PostContext, request: IncomingMessage): Promise<StoredForm> {
  const form = openForm(request);
  const fields = new Map<string, string>();
  const stored = Promise.withResolvers<StoredForm>();
  const complete = Promise.withResolvers<void>();
  // Whoever waits for them sees the error; nobody may wait yet.
  stored.promise.catch(() => undefined);
  complete.promise.catch(() => undefined);
  let fieldBytes = 0;
  let files = 0;
  const receive = (content: Readable, filename: string): void => {
    files += 1;
    if (files > 1) {
      content.resume();
      complete.reject(
        new S3Refusal(
          'IncorrectNumberOfFilesInPostRequest',
          'POST requires exactly one file upload per request.',
        ),
      );
      return;
    }
    storeFile(context, fields, content, filename, complete.promise).then(stored.resolve, (error: unknown) => {
      content.resume();
      stored.reject(error);
    });
  };
  form.on('field', (name, value, { valueTruncated }) => {
    // What comes after the file is ignored: the file must be the last field.
    if (files > 0) return;
    fieldBytes += name.length + Buffer.byteLength(value);
    if (valueTruncated || fieldBytes > MAXIMUM_FIELD_BYTES) {
      stored.reject(
        new S3Refusal(
          'MaxPostPreDataLengthExceededError',
          'Your POST request fields preceding the upload file were too large.',
          { MaxPostPreDataLength: MAXIMUM_FIELD_BYTES },
        ),
      );
      return;
    }
    // A part without a file name is a field to the parser, and a file to S3.
    if (name.toLowerCase() === 'file') receive(Readable.from([Buffer.from(value)]), '');
    else fields.set(name.toLowerCase(), value);
  });
  form.on('file', (name, content, { filename }) => {
    // An error of the form ends the stream too, and is told there.
    content.on('error', () => undefined);
    if (name.toLowerCase() === 'file') receive(content, filename ?? '');
    else content.resume();
  });
  const parsed = pipeline(request, form).then(
    () => {
      complete.resolve();
      if (files > 0) return;
      stored.reject(
        new S3Refusal('InvalidArgument', 'POST requires exactly one file upload per request.', {
          ArgumentName: 'file',
          ArgumentValue: 0,
        }),
      );
    },
    (cause: unknown) => {
      const malformed = new S3Refusal(
        'MalformedPOSTRequest',
        'The body of your POST request is not well-formed multipart/form-data.',
        {},
        { cause },
      );
      complete.reject(malformed);
      stored.reject(malformed);
    },
  );
  const result = await stored.promise;
  await parsed;
  return result;
}

async function storeFile(
  context: PostContext,
  given: ReadonlyMap<string, string>,
  content: Readable,
  filename: string,
  untilComplete: Promise<void>,
): Promise<StoredForm> {
  const key = given.get('key')?.replaceAll('${filename}', filename);
  if (key === undefined || key === '') {
    throw new S3Refusal(
      'InvalidArgument',
      "Bucket POST must contain a field named 'key'.  If it is specified, please check the order of the fields.",
      { ArgumentName: 'key', ArgumentValue: '' },
    );
  }
  checkKey(key);
  const fields = new Map([...given, ['key', key], ['bucket', context.bucket]]);
  const principal = signerOf(context.principals, fields);
  const range = checkPostPolicy(parsePostPolicy(fields.get('policy') ?? ''), fields, context.now);
  context.authorize(principal, key);
  const metadata = Object.fromEntries(fields);
  const { md5: etag } = await context.storage.put(
    {
      expectations: {
        range: range ?? { minimum: 0, maximum: MAXIMUM_OBJECT_BYTES },
        checksums: checksumsOf(metadata),
      },
      untilComplete,
      created: (object) => context.created(key, object),
    },
    {
      bucket: context.bucket,
      key,
      content,
      // S3's own default.
      metadata: { 'content-type': 'binary/octet-stream', ...metadata },
    },
  );
  return { fields, key, etag };
}

function signerOf(principals: Principals, fields: ReadonlyMap<string, string>): Principal {
  const policy = fields.get('policy');
  const credentialText = fields.get('x-amz-credential');
  const signature = fields.get('x-amz-signature');
  if (policy === undefined || credentialText === undefined || signature === undefined) {
    throw new S3Refusal('AccessDenied', 'Access Denied');
  }
  const credential = parseCredential(credentialText);
  if (credential === undefined || fields.get('x-amz-algorithm') !== 'AWS4-HMAC-SHA256') {
    throw new S3Refusal(
      'InvalidArgument',
      'X-Amz-Credential or X-Amz-Algorithm is not one of Signature Version 4.',
    );
  }
  const principal = principals.find(credential.accessKeyId);
  if (principal === undefined) {
    throw new S3Refusal(
      'InvalidAccessKeyId',
      'The AWS Access Key Id you provided does not exist in our records.',
      { AWSAccessKeyId: credential.accessKeyId },
    );
  }
  if (!isSignedBy(principal, credential, policy, signature)) {
    throw new S3Refusal(
      'SignatureDoesNotMatch',
      'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
    );
  }
  return principal;
}

function openForm(request: IncomingMessage): ReturnType<typeof busboy> {
  try {
    return busboy({ headers: request.headers, limits: { fieldSize: MAXIMUM_FIELD_BYTES, fields: 200 } });
  } catch (cause) {
    throw new S3Refusal(
      'PreconditionFailed',
      'At least one of the pre-conditions you specified did not hold',
      { Condition: 'Bucket POST must be of the enclosure-type multipart/form-data' },
      { cause },
    );
  }
}

function parsedUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}
