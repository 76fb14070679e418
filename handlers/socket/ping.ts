import { jobFrame, type PingFrame, type ServerFrame, serializeFrame } from '../../protocol/frames.ts';
import type { Job } from '../../protocol/job.ts';
import { ConnectionGoneError } from '../errors.ts';
import type { TicketScope } from '../ports.ts';
import type { SocketDependencies } from './dependencies.ts';
import { mayName, maySee } from './scope.ts';

/** How many job frames are posted at a time. A pong waits for all of them, and one post takes some 10 ms. */
const POSTS_AT_A_TIME = 10;

/**
 * Answers `ping`, after a `job` frame for every head that is behind. Heads of jobs that do not exist or are not
 * the client's are passed over: it may have watched them before they were deleted.
 * @throws UnavailableError when a frame could not be posted: a pong would then say that nothing is newer.
 */
export async function ping(
  { connection, scope }: { readonly connection: string; readonly scope: TicketScope },
  frame: PingFrame,
  dependencies: SocketDependencies,
): Promise<ServerFrame> {
  const newer = await readNewer(scope, frame.heads ?? {}, dependencies);
  for (let start = 0; start < newer.length; start += POSTS_AT_A_TIME) {
    await postAll(connection, newer.slice(start, start + POSTS_AT_A_TIME), dependencies);
  }
  return { type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) };
}

/** Waits for every post, the failed ones too: what is left running when a function answers is frozen (aws-facts 6). */
async function postAll(
  connection: string,
  jobs: readonly Job[],
  { connections }: SocketDependencies,
): Promise<void> {
  const posts = jobs.map((job) => connections.post(connection, serializeFrame(jobFrame(job))));
  for (const outcome of await Promise.allSettled(posts)) {
    // Gone means that it has closed since it pinged: nobody reads the pong either, and $disconnect cleans up.
    if (outcome.status === 'rejected' && !(outcome.reason instanceof ConnectionGoneError)) {
      throw outcome.reason;
    }
  }
}

async function readNewer(
  scope: TicketScope,
  heads: Readonly<Record<string, number>>,
  { jobs, now }: SocketDependencies,
): Promise<readonly Job[]> {
  const known = new Map(Object.entries(heads).filter(([job]) => mayName(scope, job)));
  if (known.size === 0) return [];
  const records = await jobs.readMany([...known.keys()]);
  const at = now();
  return records
    .filter((record) => maySee(scope, record, at) && record.job.seq > (known.get(record.job.id) ?? 0))
    .map((record) => record.job);
}
