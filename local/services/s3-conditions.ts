import type { IncomingMessage } from 'node:http';
import { S3Refusal } from './s3-refusal.ts';
import type { S3Storage } from './s3-store.ts';

/** `If-Match`, and ranges that s3rver takes for others: `bytes=-n`, and lists, which S3 ignores. */
export async function checkRead(
  storage: S3Storage,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  request: IncomingMessage,
): Promise<void> {
  const { headers } = request;
  if ((headers['if-match'] === undefined && headers.range === undefined) || !storage.exists(bucket, key))
    return;
  const metadata = await storage.store.getMetadata(bucket, key);
  if (headers['if-match'] !== undefined && !matchesEtag(headers['if-match'], metadata.etag)) {
    throw preconditionFailed('If-Match');
  }
  const suffix = /^bytes=-(\d+)$/.exec(headers.range ?? '')?.[1];
  if (suffix !== undefined) {
    headers.range = `bytes=${Math.max(0, metadata['content-length'] - Number(suffix))}-`;
  } else if (!/^bytes=\d+-\d*$/.test(headers.range ?? '')) delete headers.range;
}

/** S3's conditional writes: `If-None-Match: *` and `If-Match` (S3UG:conditional-requests). */
export function writePrecondition(
  storage: S3Storage,
  { bucket, key }: { readonly bucket: string; readonly key: string },
  request: IncomingMessage,
): () => void {
  const { 'if-none-match': noneMatch, 'if-match': match } = request.headers;
  if (match !== undefined) {
    throw new S3Refusal('NotImplemented', 'The local S3 does not know If-Match for writes.');
  }
  return () => {
    if (noneMatch !== undefined && storage.exists(bucket, key)) throw preconditionFailed('If-None-Match');
  };
}

function matchesEtag(list: string, etag: string): boolean {
  return list
    .split(',')
    .some((item) => item.trim() === '*' || item.trim().replaceAll('"', '') === etag.replaceAll('"', ''));
}

function preconditionFailed(condition: string): S3Refusal {
  return new S3Refusal(
    'PreconditionFailed',
    'At least one of the pre-conditions you specified did not hold',
    {
      Condition: condition,
    },
  );
}
