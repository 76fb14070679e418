import { Readable } from 'node:stream';
import type { Uploads } from '../../ports.ts';
import type { SharedFiles } from '../../workspace.ts';
import { withBody } from '../payload-body.ts';
import { JobReporter } from '../progress-reporter.ts';
import { runStep, type StepParts } from './run-step.ts';
import { reportOf, STEPS_WITH_FETCH } from './step-progress.ts';
import { PAYLOAD_FILE, type StepRequest } from './step-request.ts';

/** What `fetch` needs. */
export interface FetchParts extends StepParts {
  readonly uploads: Pick<Uploads, 'open'>;
  readonly workspace: SharedFiles;
}

/** What was not written to for so long was abandoned: executions end within hours. Milliseconds. */
const ABANDONED_AFTER = 24 * 3_600_000;

/** Copies the payload to the shared folder, once for all steps behind it. @throws as `runStep`. */
export async function fetchPayload(
  request: StepRequest,
  endsAt: number,
  parts: FetchParts,
): Promise<Record<string, never>> {
  return runStep(request, endsAt, parts, async (run) => {
    const { record, execution, signal } = run;
    const size = record.job.input?.size ?? 0;
    const upload = await run.persist('opening the upload', () => parts.uploads.open(record, signal));
    const reporter = new JobReporter({ ...parts, ...run });
    const told = (bytes: number) => reporter.report(reportOf(STEPS_WITH_FETCH, 'fetch', bytes, size));
    try {
      await withBody(upload, signal, (body) => {
        const counted = Readable.from(counting(body, told), { objectMode: false });
        return parts.workspace.copy(execution, PAYLOAD_FILE, counted, signal);
      });
    } finally {
      await reporter.settle();
    }
    return {};
  });
}

/**
 * Removes what executions left behind that were never ended properly; a file system has no rule that would. Never
 * throws.
 */
export async function removeAbandonedFiles({ workspace, clock, log }: FetchParts): Promise<void> {
  try {
    await workspace.removeAbandoned(new Date(clock.now() - ABANDONED_AFTER));
  } catch (error) {
    log.warn('abandoned files are left for the next time', { error });
  }
}

async function* counting(body: Readable, told: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  told(bytes);
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    told(bytes);
    yield chunk;
  }
}
