import fc from 'fast-check';
import { BYES, type ByeCode } from '../../protocol/bye.ts';
import { FRAME_ERRORS, type FrameErrorCode } from '../../protocol/error-codes.ts';
import { byeFrame, errorFrame, jobFrame, type ServerFrame } from '../../protocol/frames.ts';
import { anyJob, anyUlid } from './sample-jobs.ts';

/** The id of a request. */
export const anyRequestId = fc.string({ minLength: 1, maxLength: 64, unit: 'binary' });
/** The id of a job. */
export const anyJobId = anyUlid().map((ulid) => `job_${ulid}`);
/** A topic. */
export const anyTopic = fc.constantFrom('owner:me' as const, 'tag:nightly' as const, 'tag:ä 🚀' as const);
/** Every code of an `error` frame. */
export const ERROR_CODES = Object.keys(FRAME_ERRORS) as FrameErrorCode[]; // the keys of a const table
/** Every code of a `bye`. */
export const BYE_CODES = Object.keys(BYES).map((code) => Number(code) as ByeCode); // the same

/** Any valid frame of a server, for tests of what reads them. */
export function anyServerFrame(): fc.Arbitrary<ServerFrame> {
  const id = anyRequestId;
  return fc.oneof(
    anyJob().map(jobFrame),
    fc.record({ type: fc.constant('subscribed' as const), id, job: anyJob() }),
    fc.record({
      type: fc.constant('subscribed' as const),
      id,
      head: fc.record({ job: anyJobId, epoch: anyUlid(), seq: fc.nat() }),
    }),
    fc.record({ type: fc.constant('subscribed' as const), id, topic: anyTopic }),
    fc.record({ type: fc.constant('pong' as const), id }, { requiredKeys: ['type'] }),
    fc.record({ type: fc.constant('unsubscribed' as const), id }),
    fc
      .record({ code: fc.constantFrom(...ERROR_CODES), id, detail: fc.string() })
      .map(({ code, ...options }) => errorFrame(code, options)),
    fc.constantFrom(...BYE_CODES).map((code) => byeFrame(code, { retryAfterMs: 5 })),
  );
}
