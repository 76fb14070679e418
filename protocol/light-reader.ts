import { FrameError } from './frame-error.ts';
import type { ServerFrame } from './frames.ts';
import type { Job } from './job.ts';
import { STATUSES } from './status.ts';

/**
 * The reader of a client that must stay small: where `parseServerFrame` holds a frame to the whole contract by its
 * schemas (5 KB gzipped with their library), this one trusts the server's shape and checks what a client steers by.
 * On valid frames both say the same (a property test holds this). Fields that the contract does not know are kept.
 */

type Fields = Readonly<Record<string, unknown>>;

/** What `typeof` must say of each of the named fields. */
function are(value: Fields, type: 'string' | 'number' | 'boolean', ...names: readonly string[]): boolean {
  return names.every((name) => typeof value[name] === type);
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isOptionalNumber(value: unknown): boolean {
  return value === undefined || typeof value === 'number';
}

function isHead(value: unknown): boolean {
  return isFields(value) && are(value, 'string', 'job', 'epoch') && are(value, 'number', 'seq');
}

/** Whether a value is a job, as far as a client relies on it: every required field has its type. */
export function isJob(value: unknown): value is Job {
  return (
    isFields(value) &&
    are(value, 'string', 'id', 'kind', 'epoch', 'createdAt', 'updatedAt', 'expiresAt') &&
    are(value, 'number', 'seq') &&
    are(value, 'boolean', 'stalled') &&
    STATUSES.some((status) => status === value['status']) &&
    Array.isArray(value['tags']) &&
    Array.isArray(value['history'])
  );
}

/** By type of frame, whether the fields that a client uses are there. */
const CHECKS: Readonly<Record<ServerFrame['type'], (frame: Fields) => boolean>> = {
  job: (frame) => isJob(frame['job']),
  subscribed: (frame) =>
    are(frame, 'string', 'id') &&
    (isJob(frame['job']) || isHead(frame['head']) || are(frame, 'string', 'topic')),
  pong: () => true,
  unsubscribed: (frame) => are(frame, 'string', 'id'),
  error: ({ error }) =>
    isFields(error) &&
    are(error, 'string', 'code', 'title') &&
    are(error, 'boolean', 'retryable') &&
    isOptionalNumber(error['retryAfterMs']),
  bye: (frame) =>
    are(frame, 'number', 'code') &&
    are(frame, 'string', 'reason') &&
    are(frame, 'boolean', 'reconnect') &&
    isOptionalNumber(frame['retryAfterMs']),
};

/**
 * Reads a frame that a server sent; undefined is a frame of an unknown type, which a client ignores because a
 * server may say more than it knows.
 * @throws FrameError `bad-frame`.
 */
export function readServerFrame(text: unknown): ServerFrame | undefined {
  const frame = typeof text === 'string' ? readJson(text) : undefined;
  if (!isFields(frame)) throw new FrameError('bad-frame', 'not a text frame of one JSON object');
  const type = frame['type'];
  if (typeof type !== 'string' || !Object.hasOwn(CHECKS, type)) return undefined;
  const known = type as ServerFrame['type']; // hasOwn has shown that it is one of the keys
  if (!CHECKS[known](frame)) throw new FrameError('bad-frame', `not a valid "${type}" frame`);
  return frame as ServerFrame; // checked as far as the head of this file says
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined; // `readServerFrame` says what is wrong
  }
}
