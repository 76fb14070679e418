import type { JobRecord } from '../ports.ts';

/**
 * How long a grant lives, in seconds. Not longer than an hour, although a presigned URL may live for a week: it
 * also ends with the credentials that signed it (aws-facts 4), those of this function's role, and how many hours
 * are left of them in a warm environment nobody can tell. A longer promise S3 might not keep.
 */
const GRANT_SECONDS = 3_600;

/** How long an upload in parts may take to arrive, in seconds; see `uploadSeconds`. */
const MULTIPART_SECONDS = 24 * 3_600;

/** The slowest line that is waited for, in bytes a second: 1 Mbit/s. */
const SLOWEST_BYTES_PER_SECOND = 125_000;

/** The least time from the last moment of a grant to the end of the waiting, in seconds: S3 may tell late. */
const LEAST_ARRIVAL_SECONDS = 900;

/**
 * How long an upload may take to arrive, in seconds. One request must begin before its grant ends, since S3 asks
 * for the expiry of a URL when a request begins (S3 User Guide, "Expiration time of presigned URLs"), and may then
 * take as long as its bytes take on a slow line: 12 hours for the largest. One in parts gets fresh URLs as it goes
 * (`GET /jobs/{id}/upload`), so it has a day: as long as the bucket keeps parts that belong to no object
 * (infrastructure/uploads.ts), because nothing tells of a part that the bucket has deleted.
 */
export function uploadSeconds(upload: JobRecord['upload'], bytes: number): number {
  return upload === 'multipart' ? MULTIPART_SECONDS : GRANT_SECONDS + arrivalSeconds(upload, bytes);
}

/**
 * Until when (RFC 3339) a grant that is signed now lives; undefined where the job's time to begin an upload is up.
 * It leaves enough of the job's time for what begins at its last moment to arrive.
 */
export function grantEnd({ job, upload, uploadUntil }: JobRecord, now: Date): string | undefined {
  const begunBy = Date.parse(uploadUntil) - arrivalSeconds(upload, job.input?.size ?? 0) * 1_000;
  const left = begunBy - now.getTime();
  if (left <= 0) return undefined;
  return new Date(now.getTime() + Math.min(left, GRANT_SECONDS * 1_000)).toISOString();
}

/** How long a request that began at the last moment may take. A part is small, and its upload has a day. */
function arrivalSeconds(upload: JobRecord['upload'], bytes: number): number {
  if (upload === 'multipart') return 0;
  return Math.max(LEAST_ARRIVAL_SECONDS, Math.ceil(bytes / SLOWEST_BYTES_PER_SECOND));
}
