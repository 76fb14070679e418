import type { CreatedJob, CreateJobInput, JobPage, Upload, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { Topic } from '../protocol/topic.ts';
import { Connection, type TicketSource } from './connection.ts';
import { HttpApi } from './http.ts';
import { type JobWatch, JobWatcher } from './job-watch.ts';
import { type Platform, surroundingPlatform } from './platform.ts';
import { DEFAULT_TIMINGS, type Timings } from './timings.ts';
import { type TopicWatch, TopicWatcher } from './topic-watch.ts';
import { type UploadOptions, uploadFile } from './upload.ts';
import type { Watcher } from './watcher.ts';

/** Where the API is, and what the client takes from its surroundings; tests put their own in. */
export interface JobwireClientOptions extends Partial<Platform> {
  /** The URL that `/jobs` is appended to. */
  readonly api: string;
  readonly timings?: Partial<Timings>;
}

/** How a job is watched. Without `token` and `ticket` as the caller, over the one connection that all such share. */
export interface WatchJobOptions {
  /** The job's token: the watch takes its tickets with it, over a connection of its own. */
  readonly token?: string;
  /**
   * The ticket of the first connect, such as `watch` of a created job, which spares a request; later ones come by
   * `token` or as the caller. Or a callback that gets the ticket of every connect.
   */
  readonly ticket?: Watch | TicketSource;
  /** Ends the watch. */
  readonly signal?: AbortSignal;
}

/** See `createJobwireClient`. */
export interface JobwireClient {
  /** `POST /jobs`. Throws what `HttpApi` throws. */
  createJob(
    input: CreateJobInput,
    options?: { idempotencyKey?: string; signal?: AbortSignal },
  ): Promise<CreatedJob>;
  /** Sends the file where `createJob` said. Throws what `uploadFile` of upload.ts throws. */
  uploadFile(upload: Upload, file: Blob, options?: UploadOptions): Promise<void>;
  /** Watches one job until it is terminal. Never throws: what goes wrong comes as events, or by `finished()`. */
  watchJob(id: string, options?: WatchJobOptions): JobWatch;
  /** Watches all jobs of the caller (`owner:me`) or those with a tag, new ones included. Never throws. */
  watchTopic(topic: Topic, options?: { signal?: AbortSignal }): TopicWatch;
  /** `GET /jobs`: the caller's jobs, newest first. Throws what `HttpApi` throws. */
  list(options?: { cursor?: string; limit?: number; signal?: AbortSignal }): Promise<JobPage>;
  /** `POST /jobs/{id}/cancel`. Throws what `HttpApi` throws. */
  cancel(id: string, options?: { token?: string; signal?: AbortSignal }): Promise<Job>;
  /** Where the result of a job is fetched from; the answer there is a redirect to a short-lived download. */
  resultUrl(id: string): string;
  /** Ends all watches, and with them the connections. */
  close(): void;
}

/**
 * A client of one Jobwire API, for browsers and Node. It opens nothing until something is watched.
 *
 * ```ts
 * const client = createJobwireClient({ api: 'http://127.0.0.1:4000' });
 * for await (const job of client.watchJob(id)) console.log(job.status, job.progress?.fraction);
 * ```
 */
export function createJobwireClient(options: JobwireClientOptions): JobwireClient {
  const platform: Platform = { ...surroundingPlatform(), ...options };
  const timings: Timings = { ...DEFAULT_TIMINGS, ...options.timings };
  const http = new HttpApi(options.api, platform.fetch);
  const caller = new Connection(platform, timings, (signal) => http.callerTicket(signal));
  const watchers = new Set<Watcher>();

  function begin<Started extends Watcher>(watcher: Started, signal: AbortSignal | undefined): Started {
    watchers.add(watcher);
    watcher.on((event) => {
      if (event.type === 'connection' && event.connection.status === 'closed') watchers.delete(watcher);
    });
    watcher.start(signal);
    return watcher;
  }

  function connectionFor(id: string, { token, ticket }: WatchJobOptions): Connection {
    if (token === undefined && ticket === undefined) return caller;
    if (typeof ticket === 'function') return new Connection(platform, timings, ticket);
    const later: TicketSource = (signal) =>
      token === undefined ? http.callerTicket(signal) : http.jobTicket(id, token, signal);
    return new Connection(platform, timings, ticket === undefined ? later : firstThen(ticket, later));
  }

  return {
    createJob: (input, create = {}) => http.create(input, create),
    uploadFile: (upload, file, uploading = {}) => uploadFile(platform, upload, file, uploading),
    watchJob: (id, watch = {}) =>
      begin(new JobWatcher(connectionFor(id, watch), id, watch.signal), watch.signal),
    watchTopic: (topic, watch = {}) => begin(new TopicWatcher(caller, topic), watch.signal),
    list: (list = {}) => http.list(list),
    cancel: (id, cancel = {}) => http.cancel(id, cancel),
    resultUrl: (id) => http.resultUrl(id),
    close: () => {
      for (const watcher of [...watchers]) watcher.close();
    },
  };
}

function firstThen(first: Watch, later: TicketSource): TicketSource {
  let unused: Watch | undefined = first;
  return async (signal) => {
    const ticket = unused;
    unused = undefined;
    return ticket ?? later(signal);
  };
}
