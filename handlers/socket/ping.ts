import { jobFrame, type PingFrame, type ServerFrame, serializeFrame } from '../../protocol/frames.ts';
import type { Job } from '../../protocol/job.ts';
import { ConnectionGoneError } from '../errors.ts';
import type { JobRecord, TicketScope } from '../ports.ts';
import type { Confirmations } from './confirmations.ts';
import type { SocketDependencies } from './dependencies.ts';
import { mayName, maySee } from './scope.ts';

/** How many job frames are posted at a time. A pong waits for all of them, and one post takes some 10 ms. */
const POSTS_AT_A_TIME = 10;

/**
 * Answers `ping`, after a `job` frame for every head that is behind. Heads of jobs that do not exist or are not
 * the client's are passed over: it may have watched them before they were deleted. The others are kept as what
 * this connection has confirmed.
 * @throws UnavailableError when a frame could not be posted: a pong would then say that nothing is newer.
 */
export async function ping(
  { connection, scope }: { readonly connection: string; readonly scope: TicketScope },
  frame: PingFrame,
  dependencies: SocketDependencies,
  confirmations: Confirmations,
): Promise<ServerFrame> {
  const heads = frame.heads ?? {};
  const records = await readVisible(scope, heads, dependencies);
  const newer = records.map(({ job }) => job).filter((job) => job.seq > headOf(heads, job));
  // Beside the posts, not after them; both are waited for, since what still runs at the answer is frozen.
  const [posted, kept] = await Promise.allSettled([
    postInTurns(connection, newer, dependencies),
    confirmations.keep(connection, confirmedBy(heads, records)),
  ]);
  if (posted.status === 'rejected') throw posted.reason;
  if (kept.status === 'rejected') throw kept.reason;
  return { type: 'pong', ...(frame.id === undefined ? {} : { id: frame.id }) };
}

async function postInTurns(
  connection: string,
  jobs: readonly Job[],
  dependencies: SocketDependencies,
): Promise<void> {
  for (let start = 0; start < jobs.length; start += POSTS_AT_A_TIME) {
    await postAll(connection, jobs.slice(start, start + POSTS_AT_A_TIME), dependencies);
  }
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

async function readVisible(
  scope: TicketScope,
  heads: Readonly<Record<string, number>>,
  { jobs, now }: SocketDependencies,
): Promise<readonly JobRecord[]> {
  const named = Object.keys(heads).filter((job) => mayName(scope, job));
  if (named.length === 0) return [];
  const records = await jobs.readMany(named);
  const at = now();
  return records.filter((record) => maySee(scope, record, at));
}

/** A head beyond what there is cannot be one that we sent: it confirms nothing. */
function confirmedBy(
  heads: Readonly<Record<string, number>>,
  records: readonly JobRecord[],
): Readonly<Record<string, number>> {
  const possible = records.filter(({ job }) => headOf(heads, job) <= job.seq);
  return Object.fromEntries(possible.map(({ job }) => [job.id, headOf(heads, job)]));
}

function headOf(heads: Readonly<Record<string, number>>, job: Job): number {
  return heads[job.id] ?? 0;
}
