import type { ServerFrame } from './frames.ts';
import type { Job } from './job.ts';
import { STATUSES } from './status.ts';

/**
 * The reader of a client that must stay small: where `parseServerFrame` holds a frame to the whole contract by its
 * schemas (5 KB gzipped with their library), this one trusts the server's shape and checks what a client steers by:
 * that each field without which a page would fail has its type. On valid frames both say the same (a property test
 * holds this). Fields that the contract does not know are kept.
 */

/** Values that stand for their types. */
type Sample = Readonly<Record<string, unknown>>;

const JOB: Sample = {
  id: '',
  kind: '',
  epoch: '',
  seq: 0,
  status: '',
  stalled: false,
  tags: [],
  history: [],
};

/** By type of frame, what a client uses of it. */
const FRAMES: Readonly<Record<ServerFrame['type'], Sample>> = {
  job: { job: JOB },
  subscribed: { id: '' },
  pong: {},
  unsubscribed: { id: '' },
  error: { error: { code: '', title: '', retryable: true } },
  bye: { code: 0, reason: '', reconnect: true },
};

/** Whether a value of JSON has every field of the sample, each of the same type. */
export function isLike(value: unknown, sample: unknown): boolean {
  const fields = value as Sample | null | undefined; // looked into where the sample, of the same type, has fields
  return (
    // Of JSON that tells the type; an object with a field of this name is none that a server says.
    fields?.constructor === (sample as object).constructor &&
    Object.entries(sample as object).every(([name, each]) => isLike(fields[name], each))
  );
}

/** Whether a value is a job, as far as a client relies on it. */
export function isJob(value: unknown): value is Job {
  return isLike(value, JOB) && STATUSES.includes((value as Job).status); // which is a text, whichever it is
}

/**
 * Reads a frame that a server sent. Undefined is a frame of an unknown type, which a client ignores because a server
 * may say more than it knows; null is what is no valid frame.
 */
export function readServerFrame(text: unknown): ServerFrame | undefined | null {
  const frame = readJson(text);
  if (!isLike(frame, {})) return null;
  const { type, job, error, retryAfterMs } = frame as Sample & { error?: Sample }; // an object, with whatever in it
  if (!Object.hasOwn(FRAMES, type as string)) return undefined; // whatever else it is becomes a text
  const isValid =
    isLike(frame, FRAMES[type as ServerFrame['type']]) && // hasOwn has shown that it is one of the keys
    (job === undefined || isJob(job)) &&
    isLike({ retryAfterMs, ...error }.retryAfterMs ?? 0, 0); // a frame that has an error waits for what that says
  return isValid ? (frame as ServerFrame) : null; // checked as far as the head of this file says
}

/** The value of a JSON text; undefined where it is none, for the caller to say what is wrong. */
export function readJson(text: unknown): unknown {
  try {
    return typeof text === 'string' ? JSON.parse(text) : undefined;
  } catch {
    return undefined;
  }
}
