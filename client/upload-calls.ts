import type { UploadState } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { isJob } from '../protocol/light-reader.ts';
import type { CompletedPart } from '../protocol/upload.ts';
import type { HttpApi } from './http.ts';
import { jobPath } from './watch-api.ts';

/** A job that a file is uploaded for. */
export interface UploadTarget {
  readonly api: HttpApi;
  readonly id: string;
  /** The job's token; absent is as the caller. */
  readonly token: string | undefined;
}

/** `GET /jobs/{id}/upload`: what is there of parts from number `from` on, and URLs for the rest. */
export async function readUpload(
  { api, id, token }: UploadTarget,
  from: number,
  signal: AbortSignal,
): Promise<UploadState> {
  return await api.call(`${jobPath(id)}/upload?from=${from}`, isUploadState, { token, signal });
}

/** `POST /jobs/{id}/upload/complete`. */
export async function completeUpload(
  { api, id, token }: UploadTarget,
  parts: readonly CompletedPart[],
  signal: AbortSignal,
): Promise<Job> {
  return await api.post(`${jobPath(id)}/upload/complete`, isJob, { parts }, { token, signal });
}

/** `POST /jobs/{id}/upload/progress`. */
export async function reportUpload(
  { api, id, token }: UploadTarget,
  sent: number,
  signal: AbortSignal,
): Promise<Job> {
  return await api.post(`${jobPath(id)}/upload/progress`, isJob, { sent }, { token, signal });
}

function isUploadState(answer: unknown): answer is UploadState {
  const state = Object(answer) as Partial<Record<keyof UploadState, unknown>>; // each field is looked at below
  return (
    isJob(state.job) &&
    typeof state.complete === 'boolean' &&
    Array.isArray(state.uploaded) &&
    (state.upload === undefined || typeof Object(state.upload).method === 'string')
  );
}
