import type { Readable } from 'node:stream';
import type { JobRecord, Uploads } from '../../ports.ts';
import type { ByteRange, Workspace } from '../../workspace.ts';
import { STEPS, STEPS_WITH_FETCH, type Steps } from './step-progress.ts';
import { PAYLOAD_FILE } from './step-request.ts';

/** Where steps read the payload of a job. */
export interface Payload {
  /** The steps that a workflow with such a payload has. */
  readonly steps: Steps;
  /** @throws as `Uploads.open`, or as `Workspace.open`. */
  open(record: JobRecord, execution: string, signal: AbortSignal, range?: ByteRange): Promise<Readable>;
}

/** Each step reads what it needs of the upload. */
export function uploadedPayload(uploads: Pick<Uploads, 'open'>): Payload {
  return {
    steps: STEPS,
    open: (record, _execution, signal, range) => uploads.open(record, signal, range),
  };
}

/** Steps read what `fetch` has copied to the shared folder. */
export function fetchedPayload(files: Pick<Workspace, 'open'>): Payload {
  return {
    steps: STEPS_WITH_FETCH,
    open: (_record, execution, signal, range) => files.open(execution, PAYLOAD_FILE, signal, range),
  };
}
