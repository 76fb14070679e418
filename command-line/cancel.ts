import type { JobwireClient } from '../client/client.ts';
import { ProblemError } from '../client/errors.ts';
import { CommandError } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/**
 * Cancels a job, and says so.
 * @throws CommandError with exit code 1 when the job is over already; otherwise what `JobwireClient.cancel` throws.
 */
export async function cancelJob(client: JobwireClient, id: string, signal: AbortSignal): Promise<void> {
  try {
    const job = await client.cancel(id, { signal });
    console.log(`${job.id} ${job.status}`);
  } catch (error) {
    if (!(error instanceof ProblemError) || error.code !== 'conflict') throw error;
    const status = error.problem.job?.status;
    const how = status === undefined ? '' : `: it is ${status}`;
    throw new CommandError(`${id} is over already${how}.`, EXIT.failed, { cause: error });
  }
}
