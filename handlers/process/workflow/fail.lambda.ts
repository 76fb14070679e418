import { readEnvironment } from '../../environment.ts';

readEnvironment(['jobsTable']);

/** Ends the job of an execution that failed, and removes its files. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
