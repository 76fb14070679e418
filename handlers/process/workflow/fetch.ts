import { Readable } from 'node:stream';
import type { Uploads } from '../../ports.ts';
import type { SharedFiles } from '../../workspace.ts';
import { withBody } from '../payload-body.ts';
import { runStep, type StepParts } from './run-step.ts';
import { STEPS_WITH_FETCH } from './step-progress.ts';
import { PAYLOAD_FILE, type StepRequest } from './step-request.ts';
import { WholeReporter } from './whole-reporter.ts';

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
    const reporter = new WholeReporter(parts, run, { steps: STEPS_WITH_FETCH, name: 'fetch', size });
    const told = (bytes: number) => reporter.report(bytes);
    try {
      await withBody(upload, signal, (body) => {
        const counted = Readable.from(counting(body, told), { objectMode: false });
        return parts.workspace.copy(execution, PAYLOAD_FILE, counted, signal);
      });
      await reporter.finish();
      return {};
    } finally {
      await reporter.settle();
    }
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
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    told(bytes);
    yield chunk;
  }
}
