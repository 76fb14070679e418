import { Readable } from 'node:stream';
import type { Uploads } from '../../ports.ts';
import type { SharedFiles } from '../../workspace.ts';
import { withBody } from '../payload-body.ts';
import { LAST_TRY_BEFORE_END } from '../time-left.ts';
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

/** So long what was abandoned is removed, in milliseconds; the job waits for it. */
const TIDY_FOR = 30_000;

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
 * Removes what executions left behind that were never ended properly; a file system has no rule that would. What cannot
 * be removed keeps nothing else, and the next execution finds it again. Ends in time, also where the file system does
 * not answer; never throws.
 */
export async function removeAbandonedFiles(
  endsAt: number,
  { workspace, clock, log }: FetchParts,
): Promise<void> {
  const until = Math.min(clock.now() + TIDY_FOR, endsAt - LAST_TRY_BEFORE_END);
  let isLate = false;
  const late = Promise.withResolvers<void>();
  const timeLimit = clock.schedule(Math.max(0, until - clock.now()), () => {
    isLate = true;
    late.resolve();
  });
  const removeAll = async () => {
    for (const execution of await workspace.abandoned(new Date(clock.now() - ABANDONED_AFTER))) {
      if (isLate) return;
      await workspace.remove(execution).catch((error: unknown) => {
        log.warn('abandoned files are left for the next time', { execution, error });
      });
    }
  };
  const removed = removeAll().catch((error: unknown) => {
    log.warn('abandoned files could not be looked for', { error });
  });
  await Promise.race([removed, late.promise]);
  timeLimit.cancel();
}

async function* counting(body: Readable, told: (bytes: number) => void): AsyncGenerator<Uint8Array> {
  let bytes = 0;
  for await (const chunk of body) {
    bytes += chunk.byteLength;
    told(bytes);
    yield chunk;
  }
}
