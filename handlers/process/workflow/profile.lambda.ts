import { readEnvironment } from '../../environment.ts';

readEnvironment(['jobsTable']);

/** Profiles one range of the payload. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
