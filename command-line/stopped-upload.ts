import type { JobwireClient } from '../client/client.ts';
import { ProblemError } from '../client/errors.ts';
import { explain } from './errors.ts';

/** How long the answer may take, in milliseconds: somebody who pressed Ctrl-C waits for the prompt. */
const CANCEL_WITHIN = 5_000;

/**
 * Sees to it that the job of a stopped upload is cancelled, and says what came of it. The client has asked for that
 * once already without telling how it went; to ask again is harmless. Never throws.
 * @param token the job's own
 */
export async function cancelStopped(client: JobwireClient, id: string, token: string): Promise<string> {
  try {
    const { status } = await client.cancel(id, { token, signal: AbortSignal.timeout(CANCEL_WITHIN) });
    return `Stopped the upload; ${id} is ${status}.`;
  } catch (error) {
    const status = error instanceof ProblemError ? error.problem.job?.status : undefined;
    if (status !== undefined) return `Stopped the upload, but ${id} was over before that: it is ${status}.`;
    const reason = explain(error)?.message ?? 'no answer in time';
    return `Stopped the upload, but ${id} was not cancelled (${reason}). Cancel it with: jobwire cancel ${id}`;
  }
}
