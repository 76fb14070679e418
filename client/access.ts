import type { Head } from '../protocol/head.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { WatchApi } from './watch-api.ts';

/**
 * Gets what it takes to connect once. Called for every connect, since a ticket is good for one.
 * @throws ProblemError: 401, 403 and whatever else is not retryable ends the connection for good. Any other error
 * counts as passing: it is told as `trouble`, and the connection backs off.
 */
export type TicketSource = (signal: AbortSignal) => Promise<Watch>;

/** What a connection may do at the API, and as whom. */
export interface Access {
  readonly ticket: TicketSource;
  /** How states are asked for where WebSockets are blocked; absent where only tickets are to be had. */
  readonly poll?: {
    /** The state of a job after `known`, held for `waitSeconds` until there is one; undefined is: none yet. */
    job(
      id: string,
      known: Head | undefined,
      waitSeconds: number,
      signal: AbortSignal,
    ): Promise<Job | undefined>;
    /** The newest jobs of the caller. */
    list(signal: AbortSignal): Promise<readonly Job[]>;
  };
}

/** Access as the caller, or with a job's token to that job alone. `first` is a ticket that is there already. */
export function accessTo(
  api: WatchApi,
  by: { readonly id: string; readonly token: string | undefined },
  first?: Watch,
): Access {
  const { token } = by;
  let unused = first;
  return {
    ticket: async (signal) => {
      const ticket = unused;
      unused = undefined;
      return ticket ?? api.ticket(by, signal);
    },
    poll: {
      job: (job, known, waitSeconds, signal) => api.jobAfter(job, known, { waitSeconds, token, signal }),
      list: async (signal) => (await api.page('', signal)).jobs,
    },
  };
}
