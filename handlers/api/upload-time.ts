import type { JobRecord } from '../ports.ts';

/**
 * How long a grant lives, in seconds. Not longer than an hour, although a presigned URL may live for a week: it
 * also ends with the credentials that signed it (aws-facts 4), those of this function's role, and how many hours
 * are left of them in a warm environment nobody can tell. A longer promise S3 might not keep.
 */
const GRANT_SECONDS = 3_600;

/**
 * How long an upload may take to arrive, in seconds. One request lasts as long as its grant. One in parts gets
 * fresh URLs as it goes (`GET /jobs/{id}/upload`), so it has a day: as long as the bucket keeps parts that belong
 * to no object (infrastructure/uploads.ts), because nothing tells of a part that the bucket has deleted.
 */
export const UPLOAD_SECONDS: Readonly<Record<JobRecord['upload'], number>> = {
  put: GRANT_SECONDS,
  post: GRANT_SECONDS,
  multipart: 24 * 3_600,
};

/** Until when (RFC 3339) a grant that is signed now lives; undefined where the job's time to upload is up. */
export function grantEnd(record: JobRecord, now: Date): string | undefined {
  const left = Date.parse(record.uploadUntil) - now.getTime();
  if (left <= 0) return undefined;
  return new Date(now.getTime() + Math.min(left, GRANT_SECONDS * 1_000)).toISOString();
}
