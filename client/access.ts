import { entityTagOf, type Head } from '../protocol/head.ts';
import type { Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob, isLike } from '../protocol/light-reader.ts';
import type { SocketLike } from './platform.ts';
import type { Setup } from './timings.ts';
import { isPage, jobPath, type WatchApi } from './watch-api.ts';

/**
 * Gets what it takes to connect once. Called for every connect, since a ticket is good for one.
 * @throws ProblemError: 401, 403 and whatever else is not retryable ends the connection for good. Any other error
 * counts as passing: it is told as `trouble`, and the connection backs off.
 */
export type TicketSource = (signal: AbortSignal) => Promise<Watch>;

/** How a job is watched; `auto` is the default. See docs/client.md, "Ways". */
export type Via = 'websocket' | 'iot' | 'poll' | 'auto';

/** What a connection may do at the API, and as whom. */
export interface Access {
  /** Takes a ticket, and gives what opens the socket for it. None where no socket is wanted, but polling alone. */
  readonly ticket:
    | false
    | ((signal: AbortSignal) => Promise<(trouble: (error: unknown) => void) => SocketLike>);
  /**
   * How states are asked for where WebSockets are blocked; absent where only tickets are to be had, or no poll is
   * wanted. With an id the state of that job after `known`, held for `waitSeconds` until there is one, or else
   * undefined; with '' the newest jobs of the caller, as many as a page may hold.
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
export function accessTo(
  api: WatchApi,
  setup: Setup,
  id: string,
  via?: Via,
  token?: string,
  given?: Watch | TicketSource,
): Access {
  // Who only polls needs no ticket, wherever it would come from.
  const callback = via !== 'poll' && typeof given === 'function' && given;
  let unused = callback ? undefined : (given as Watch | undefined); // who polls alone never uses it
  const read: Access['poll'] = async (job, known, waitSeconds, signal) => {
    if (!job) return (await api.call('/jobs?limit=100', isPage, { signal })).jobs;
    const headers = known && { 'if-none-match': entityTagOf(known), prefer: `wait=${waitSeconds}` };
    return [await api.call<Job | undefined>(jobPath(job), isJob, { headers, token, signal })];
  };
  const poll = via === 'websocket' || (callback && !token) ? undefined : read;
  return {
    ticket:
      via !== 'poll' &&
      (async (signal) => {
        let open: typeof import('./broadcast.ts').open | undefined;
        try {
          // Before the ticket, which would be in vain where this is gone, as after a deployment.
          if (via === 'iot') ({ open } = await import('./broadcast.ts'));
        } catch (fault) {
          // As a socket that cannot be made: the line counts it, and in the end the job is polled.
          return () => {
            throw fault;
          };
        }
        const first = unused;
        unused = undefined;
        const watch = await (callback
          ? callback(signal)
          : (first ??
            api.call(
              `${id && jobPath(id)}/tickets`,
              (answer): answer is Watch => isLike(answer, { url: '', protocols: [] }),
              { method: 'POST', token, signal },
            )));
        return (trouble) =>
          open ? open(setup, watch, poll, trouble) : new setup.WebSocket(watch.url, watch.protocols);
      }),
    poll,
  };
}
