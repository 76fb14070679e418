import type { CreatedJob, CreateJobInput, JobPage, Upload } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import type { ResultLink } from '../protocol/result-link.ts';
import type { JobWatchers } from '../protocol/watchers.ts';
import type { Via } from './access.ts';
import { HttpApi, type JobCallOptions } from './http.ts';
import { type Platform, surroundingPlatform, surroundingRequest } from './platform.ts';
import { type UploadOptions, uploadFile } from './upload.ts';
import { type JobUpload, type UploadJobOptions, uploadJob } from './upload-job.ts';
import { createWatchClient, type WatchClient, type WatchClientOptions } from './watch-client.ts';

export type { TicketSource } from './access.ts';
export type { WatchJobOptions } from './watch-client.ts';

const WAYS: Readonly<Record<Via, true>> = { auto: true, websocket: true, iot: true, poll: true };

/** See `WatchClientOptions`. */
export type JobwireClientOptions = WatchClientOptions;

/** See `createJobwireClient`. */
export interface JobwireClient extends WatchClient {
  /**
   * Watches one job until it is terminal. What goes wrong comes as events, or by `finished()`.
   * @throws TypeError for a `via` that is no way, as from a script that no compiler has seen
   */
  watchJob: WatchClient['watchJob'];
  /** `POST /jobs`. Throws what `HttpApi` throws. */
  createJob(
    input: CreateJobInput,
    options?: { idempotencyKey?: string; signal?: AbortSignal },
  ): Promise<CreatedJob>;
  /** Sends the file where `createJob` said. Throws what `uploadFile` of upload.ts throws. */
  uploadFile(upload: Upload, file: Blob, options?: UploadOptions): Promise<void>;
  /** Makes a job of a file and sends it, in parts when it is large; see `uploadJob` of upload-job.ts. Never throws. */
  uploadJob(file: Blob, options: UploadJobOptions): JobUpload;
  /** `GET /jobs`: the caller's jobs, newest first. Throws what `HttpApi` throws. */
  list(options?: { cursor?: string; limit?: number; signal?: AbortSignal }): Promise<JobPage>;
  /** `POST /jobs/{id}/cancel`. Throws what `HttpApi` throws. */
  cancel(id: string, options?: JobCallOptions): Promise<Job>;
  /** `GET /jobs/{id}`: the job as it is now. Throws what `HttpApi` throws. */
  read(id: string, options?: JobCallOptions): Promise<Job>;
  /** `GET /jobs/{id}/watchers`: who watches the job, and what each has confirmed. Throws what `HttpApi` throws. */
  watchers(id: string, options?: JobCallOptions): Promise<JobWatchers>;
  /**
   * `GET /jobs/{id}/result`: where a script downloads the result, without further credentials, and until when. Throws
   * what `HttpApi` throws.
   */
  resultLink(id: string, options?: JobCallOptions): Promise<ResultLink>;
  /** Where the result of a job is fetched from; the answer there is a redirect to a short-lived download. */
  resultUrl(id: string): string;
}

/**
 * A client of one Jobwire API, for browsers and Node. It opens nothing until something is watched.
 *
 * ```ts
 * const client = createJobwireClient({ api: 'http://127.0.0.1:4000' });
 * for await (const job of client.watchJob(id)) console.log(job.status, job.progress?.fraction);
 * ```
 * @throws TypeError without an `api`, as from a script that no compiler has seen.
 */
export function createJobwireClient(options: JobwireClientOptions): JobwireClient {
  if (typeof options.api !== 'string')
    throw new TypeError('give the URL of the API, as { api: "https://…" }');
  const platform: Platform = { ...surroundingPlatform(), ...surroundingRequest(), ...options };
  const http = new HttpApi(options.api, platform.fetch);
  const watching = createWatchClient(options);
  // Not there, where every byte counts, and a word that is none means `auto`.
  const watchJob: WatchClient['watchJob'] = (id, watch) => {
    const via = watch?.via ?? 'auto';
    if (!Object.hasOwn(WAYS, via))
      throw new TypeError(`via is one of ${Object.keys(WAYS).join(', ')}, not ${String(via)}`);
    return watching.watchJob(id, watch);
  };
  return {
    ...watching,
    watchJob,
    createJob: (input, create = {}) => http.create(input, create),
    uploadFile: (upload, file, uploading = {}) => uploadFile(platform, upload, file, uploading),
    uploadJob: (file, uploading) =>
      uploadJob({ platform, api: http, subject: options.subject, watchJob }, file, uploading),
    list: (list = {}) => http.list(list),
    read: (id, read = {}) => http.read(id, read),
    watchers: (id, watchers = {}) => http.watchers(id, watchers),
    cancel: (id, cancel = {}) => http.cancel(id, cancel),
    resultLink: (id, link = {}) => http.resultLink(id, link),
    resultUrl: (id) => http.resultUrl(id),
  };
}
