import { createHash } from 'node:crypto';
import { ulid } from 'ulid';
import type { DecidedJob } from './job-request.ts';

/** Crockford's base 32: no I, L, O, U. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** The characters of an id behind `job_`: 26 of 5 bits each, so 130 bits of hash. */
const ID_CHARACTERS = 26;

/** The id of a job that is asked for without an idempotency key. */
export function newJobId(at: Date): string {
  return `job_${ulid(at.getTime())}`;
}

/** The id of one making of a job; later ones sort behind. */
export function newEpoch(at: Date): string {
  return ulid(at.getTime());
}

/**
 * The id of the job that an owner asks for with an idempotency key. Because it follows from the two alone, that
 * there is one job per key needs no second table and no transaction: the conditional put decides.
 */
export function derivedJobId(owner: string, idempotencyKey: string): string {
  const digest = createHash('sha256')
    .update(JSON.stringify(['jobwire job id', owner, idempotencyKey]))
    .digest();
  const characters = Array.from(digest.subarray(0, ID_CHARACTERS), (byte) => ALPHABET.charAt(byte & 31));
  return `job_${characters.join('')}`;
}

/** What is compared when an idempotency key comes again: equal for bodies that ask for the same job. */
export function fingerprintOf(request: DecidedJob): string {
  const { kind, fileName, contentType, size, upload, tags, crc32 } = request;
  return createHash('sha256')
    .update(JSON.stringify([kind, fileName, contentType, size, upload, tags, crc32]))
    .digest('hex');
}
