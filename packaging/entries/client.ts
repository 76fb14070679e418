/**
 * What `jobwire/client` offers. Whatever else `client/` holds may change from one version to the next.
 */

export type { TicketSource, Via } from '../../client/access.ts';
export * from '../../client/client.ts';
export type { Clock, Timer } from '../../client/clock.ts';
export * from '../../client/errors.ts';
export type { JobWatch } from '../../client/job-watch.ts';
export type * from '../../client/platform.ts';
export type { ConnectionState } from '../../client/state.ts';
export type { Timings } from '../../client/timings.ts';
export type { TopicWatch } from '../../client/topic-watch.ts';
export type { UploadOptions, UploadProgress } from '../../client/upload.ts';
export { UnreadableFileError, UploadEndedError } from '../../client/upload-errors.ts';
export type { JobUpload, UploadJobOptions, UploadJobProgress } from '../../client/upload-job.ts';
export type { UploadStore } from '../../client/upload-memory.ts';
export { createWatchClient, type WatchClient, type WatchClientOptions } from '../../client/watch-client.ts';
export type { WatchEvent, Watching } from '../../client/watcher.ts';
export type { FrameErrorCode, ProblemCode } from '../../protocol/error-codes.ts';
export { type Head, isNewer } from '../../protocol/head.ts';
export type {
  Broadcast,
  CreatedJob,
  CreateJobInput,
  JobPage,
  Problem,
  Upload,
  Watch,
} from '../../protocol/http.ts';
export type { Job, JobError, JobResult, Progress, Step } from '../../protocol/job.ts';
export type { ResultLink } from '../../protocol/result-link.ts';
export { isTerminal, type Status, type TerminalStatus } from '../../protocol/status.ts';
export type { Topic } from '../../protocol/topic.ts';
export type { JobWatchers } from '../../protocol/watchers.ts';
