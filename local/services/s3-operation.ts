import { S3Refusal } from './s3-refusal.ts';

/** What a request asks of S3, as far as functions and browsers of ours ask it. */
export type S3Operation =
  | { readonly kind: 'list-buckets' }
  | { readonly kind: 'list-objects' | 'head-bucket' | 'post-object'; readonly bucket: string }
  | {
      readonly kind: 'get' | 'head' | 'put' | 'delete' | 'create-multipart';
      readonly bucket: string;
      readonly key: string;
    }
  | {
      readonly kind: 'copy';
      readonly bucket: string;
      readonly key: string;
      readonly sourceBucket: string;
      readonly sourceKey: string;
    }
  | {
      readonly kind: 'upload-part' | 'complete-multipart' | 'abort-multipart' | 'list-parts';
      readonly bucket: string;
      readonly key: string;
      readonly uploadId: string;
    };

/** A permission that an operation needs. */
export interface S3Permission {
  readonly action: string;
  readonly resource: string;
}

/** Query parameters that make an object's operation another one, which the local S3 does not have. */
const OTHER_SUBRESOURCES = [
  ...['acl', 'attributes', 'legal-hold', 'restore', 'retention', 'select', 'tagging', 'torrent', 'versionId'],
  ...[
    'delete',
    'location',
    'policy',
    'cors',
    'lifecycle',
    'notification',
    'versioning',
    'versions',
    'website',
  ],
  ...['encryption', 'logging', 'replication', 'inventory', 'metrics', 'analytics', 'publicAccessBlock'],
];

/** Bytes of a key (S3UG:object-keys). */
const MAXIMUM_KEY_BYTES = 1024;

/**
 * Reads what a path-style request asks for.
 *
 * @throws S3Refusal for what is no such request, or one that the local S3 does not answer
 */
export function operationOf(
  method: string,
  url: URL,
  header: (name: string) => string | undefined,
): S3Operation {
  const { bucket, key } = pathOf(url.pathname);
  const query = url.searchParams;
  const other = OTHER_SUBRESOURCES.find((name) => query.has(name));
  if (other !== undefined) throw notImplemented(`${method} ?${other}`);
  if (bucket === '') {
    if (method === 'GET') return { kind: 'list-buckets' };
    throw notImplemented(`${method} /`);
  }
  if (key === '') {
    if (query.has('uploads')) throw notImplemented(`${method} ?uploads`);
    if (method === 'GET') return { kind: 'list-objects', bucket };
    if (method === 'HEAD') return { kind: 'head-bucket', bucket };
    if (method === 'POST') return { kind: 'post-object', bucket };
    throw notImplemented(`${method} of a bucket`);
  }
  checkKey(key);
  const uploadId = query.get('uploadId');
  if (uploadId !== null) {
    // It becomes a part of a path.
    if (!/^[0-9a-f]{32}$/.test(uploadId)) {
      throw new S3Refusal(
        'NoSuchUpload',
        'The specified upload does not exist. The upload ID may be invalid.',
      );
    }
    if (
      method === 'PUT' &&
      isPartNumber(query.get('partNumber')) &&
      header('x-amz-copy-source') === undefined
    ) {
      return { kind: 'upload-part', bucket, key, uploadId };
    }
    if (method === 'POST') return { kind: 'complete-multipart', bucket, key, uploadId };
    if (method === 'DELETE') return { kind: 'abort-multipart', bucket, key, uploadId };
    if (method === 'GET') return { kind: 'list-parts', bucket, key, uploadId };
    throw notImplemented(`${method} ?uploadId`);
  }
  switch (method) {
    case 'GET':
      return { kind: 'get', bucket, key };
    case 'HEAD':
      return { kind: 'head', bucket, key };
    case 'DELETE':
      return { kind: 'delete', bucket, key };
    case 'PUT': {
      const source = header('x-amz-copy-source');
      if (source === undefined) return { kind: 'put', bucket, key };
      const { bucket: sourceBucket, key: sourceKey } = pathOf(source.startsWith('/') ? source : `/${source}`);
      checkKey(sourceKey);
      return { kind: 'copy', bucket, key, sourceBucket, sourceKey };
    }
    case 'POST':
      if (query.has('uploads')) return { kind: 'create-multipart', bucket, key };
  }
  throw notImplemented(`${method} of an object`);
}

/**
 * What an operation needs (Service Authorization Reference, list_amazons3). A form's permission is known only
 * when the form has been read.
 */
export function permissionsOf(operation: S3Operation): readonly S3Permission[] {
  switch (operation.kind) {
    case 'list-buckets':
      return [{ action: 's3:ListAllMyBuckets', resource: '*' }];
    case 'list-objects':
    case 'head-bucket':
      return [listPermission(operation.bucket)];
    case 'post-object':
      return [];
    case 'get':
    case 'head':
      return [on('s3:GetObject', operation)];
    case 'delete':
      return [on('s3:DeleteObject', operation)];
    case 'abort-multipart':
      return [on('s3:AbortMultipartUpload', operation)];
    case 'list-parts':
      return [on('s3:ListMultipartUploadParts', operation)];
    case 'copy':
      return [
        on('s3:PutObject', operation),
        on('s3:GetObject', { bucket: operation.sourceBucket, key: operation.sourceKey }),
      ];
    case 'put':
    case 'create-multipart':
    case 'upload-part':
    case 'complete-multipart':
      return [on('s3:PutObject', operation)];
  }
}

/** Without it, S3 answers "access denied" instead of "no such key" (S3 API, GetObject). */
export function listPermission(bucket: string): S3Permission {
  return { action: 's3:ListBucket', resource: `arn:aws:s3:::${bucket}` };
}

/**
 * Refuses a key that would lead out of the bucket's directory, or that S3 would refuse.
 *
 * @throws S3Refusal
 */
export function checkKey(key: string): void {
  if (Buffer.byteLength(key) > MAXIMUM_KEY_BYTES) {
    throw new S3Refusal('KeyTooLongError', 'Your key is too long', { MaxSizeAllowed: MAXIMUM_KEY_BYTES });
  }
  const segments = key.split(/[/\\]/);
  if (key === '' || key.includes('\0') || segments.includes('..') || segments.includes('.')) {
    throw new S3Refusal('InvalidURI', "Couldn't parse the specified URI.", { Key: key });
  }
}

function on(action: string, { bucket, key }: { bucket: string; key: string }): S3Permission {
  return { action, resource: `arn:aws:s3:::${bucket}/${key}` };
}

function pathOf(pathname: string): { readonly bucket: string; readonly key: string } {
  const [, bucket = '', key = ''] = /^\/([^/]*)\/?(.*)$/s.exec(pathname) ?? [];
  try {
    return { bucket: decodeURIComponent(bucket), key: decodeURIComponent(key) };
  } catch (cause) {
    throw new S3Refusal('InvalidURI', "Couldn't parse the specified URI.", {}, { cause });
  }
}

function isPartNumber(text: string | null): boolean {
  return text !== null && /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 10_000;
}

function notImplemented(what: string): S3Refusal {
  return new S3Refusal('NotImplemented', `The local S3 does not answer ${what}.`);
}
