import { readEnvironment } from '../../environment.ts';

readEnvironment(['jobsTable']);

/** Begins an execution: takes the job for it. Answers whether it is to go on. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
