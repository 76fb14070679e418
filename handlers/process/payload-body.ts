import type { Readable } from 'node:stream';
import { ObjectChangedError, ObjectNotFoundError, UnavailableError } from '../errors.ts';
import { UNREADABLE_ERROR } from './job-failure.ts';
import { ProcessingError } from './processor.ts';

/**
 * Runs work on the body of an opened payload, and closes it. Does not wait for work that ignores the signal.
 * @throws the signal's reason once it is aborted; UnavailableError, ObjectChangedError, ObjectNotFoundError when
 *   the body broke off for that reason, ProcessingError when it broke off for another; whatever the work throws.
 */
export async function withBody<Result>(
  body: Readable,
  signal: AbortSignal,
  work: (body: Readable) => Promise<Result>,
): Promise<Result> {
  let broke: Error | undefined;
  // Without a listener, a stream that fails after its reader has gone would end the whole process.
  body.on('error', (error) => {
    broke = error;
  });
  try {
    return await Promise.race([work(body), whenAborted(signal)]);
  } catch (error) {
    signal.throwIfAborted();
    // Whatever the work made of it: the payload is another than it was, or may be readable later.
    if (broke !== undefined && OF_THE_PAYLOAD.some((type) => broke instanceof type)) throw broke;
    if (broke !== undefined && error === broke)
      throw new ProcessingError(UNREADABLE_FAILURE, { cause: error });
    throw error;
  } finally {
    body.destroy();
  }
}

const OF_THE_PAYLOAD = [UnavailableError, ObjectChangedError, ObjectNotFoundError];

const UNREADABLE_FAILURE = {
  code: UNREADABLE_ERROR.code,
  title: UNREADABLE_ERROR.title,
  retryable: UNREADABLE_ERROR.retryable,
};

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    else signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
}
