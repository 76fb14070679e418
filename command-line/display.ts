import type { ConnectionState } from '../client/state.ts';
import type { UploadProgress } from '../client/upload.ts';
import type { Job } from '../protocol/job.ts';

/** Where progress is shown. Every method may be called as often as there is news. */
export interface Display {
  /** How much of the file is sent. */
  upload(fileName: string, progress: UploadProgress): void;
  /** A newer state of a job. */
  job(job: Job): void;
  /** How fresh the state of a job is now. */
  connection(id: string, state: ConnectionState): void;
  /** Leaves the last of what was shown where it is; nothing follows. */
  close(): void;
}

/** The part of a stream that a display asks about. */
export type Output = NodeJS.WriteStream & { readonly fd: 1 | 2 };
