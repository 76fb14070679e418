import { entityTagOf, type Head } from '../protocol/head.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob, isLike } from '../protocol/light-reader.ts';
import { isPage, jobPath, type WatchApi } from './watch-api.ts';

/**
 * Gets what it takes to connect once. Called for every connect, since a ticket is good for one.
 * @throws ProblemError: 401, 403 and whatever else is not retryable ends the connection for good. Any other error
 * counts as passing: it is told as `trouble`, and the connection backs off.
 */
export type TicketSource = (signal: AbortSignal) => Promise<Watch>;

/** What a connection may do at the API, and as whom. */
export interface Access {
  readonly ticket: TicketSource;
  /**
   * How states are asked for where WebSockets are blocked; absent where only tickets are to be had. With an id the
   * state of that job after `known`, held for `waitSeconds` until there is one, or else undefined; with '' the newest
   * jobs of the caller, as many as a page may hold.
   */
  readonly poll:
    | ((
        id: string,
        known: Head | undefined,
        waitSeconds: number,
        signal: AbortSignal,
      ) => Promise<readonly (Job | undefined)[]>)
    | undefined;
}

/**
 * Access as the caller, or with a job's token to that job alone. `given` is a ticket that is there already, or where
 * every ticket comes from: without a token, nothing else is asked for then.
 */
export function accessTo(api: WatchApi, id: string, token?: string, given?: Watch | TicketSource): Access {
  let unused = given;
  return {
    async ticket(signal) {
      const first = unused;
      if (typeof first === 'function') return first(signal);
      unused = undefined;
      const path = token ? jobPath(id) : '';
      return first ?? api.call(`${path}/tickets`, isWatch, { method: 'POST', token, signal });
    },
    poll:
      token || typeof given !== 'function'
        ? async (job, known, waitSeconds, signal) => {
            if (!job) return (await api.call('/jobs?limit=100', isPage, { signal })).jobs;
            const headers = known && { 'if-none-match': entityTagOf(known), prefer: `wait=${waitSeconds}` };
            return [await api.call(jobPath(job), isJobOrNothing, { headers, token, signal })];
          }
        : undefined,
  };
}

function isWatch(answer: unknown): answer is Watch {
  return isLike(answer, { url: '', protocols: [] });
}

/** What a conditional request is answered: nothing where the job has not moved. */
function isJobOrNothing(answer: unknown): answer is Job | undefined {
  return answer === undefined || isJob(answer);
}
