import type { JobError, Progress } from '../../protocol/job.ts';
import { ChangeRefusedError } from '../errors.ts';
import type { JobFields, JobRecord, Jobs, Log, Now, Queue, UploadedObject, Uploads } from '../ports.ts';
import type { Work } from '../queue-messages.ts';
import { mismatchOf } from './mismatch.ts';

/** What S3 says when an upload has arrived. Only the names count: size and tag may be those of an older upload. */
export interface ObjectCreated {
  readonly job: string;
  readonly epoch: string;
}

/** What the stage needs of the world. */
export interface ObjectCreatedDependencies {
  readonly jobs: Pick<Jobs, 'read' | 'change'>;
  readonly uploads: Pick<Uploads, 'inspect'>;
  readonly work: Queue<Work>;
  readonly now: Now;
  readonly log: Log;
}

/** How often the job may move between our read and our write before the event is left to Lambda's retry. */
const ATTEMPTS = 5;

/** Statuses from which an upload still leads to work. */
const WAITING = ['awaiting-upload', 'queued'];

/**
 * Takes a job from `awaiting-upload` to `queued` once its upload is there, checks size and type, and hands it to
 * the process function.
 *
 * S3 sends events at least once, late, and in any order (aws-facts 4), so an event is only a reason to look: the
 * state of job and object decide, never the event's content. Whatever is sent twice is harmless, because the
 * claim `queued → running` lets exactly one execution start. A function that dies between the change and the
 * send is repaired by the event's own retry, which finds the job `queued` and sends again; and where no retry comes
 * through, by the sweep, which sends work again for a job that has waited long.
 *
 * `objectTag` is written of an object that was found to be what was announced, and of no other: where a function
 * dies between finding a mismatch and failing the job, it is the missing tag that keeps the sweep from sending work.
 * @throws ChangeRefusedError when the job would not stand still; UnavailableError. Lambda repeats the event.
 */
export function createObjectCreated(
  dependencies: ObjectCreatedDependencies,
): (event: ObjectCreated) => Promise<void> {
  return async (event) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await advance(event, dependencies);
        return;
      } catch (error) {
        // Another event, a cancellation or the process function was quicker. Look again.
        if (!(error instanceof ChangeRefusedError) || attempt === ATTEMPTS) throw error;
      }
    }
  };
}

async function advance(
  { job, epoch }: ObjectCreated,
  dependencies: ObjectCreatedDependencies,
): Promise<void> {
  const { jobs, uploads, log } = dependencies;
  // The job is read before the object is looked at. So the look is newer than the `seq` that the changes below
  // insist on: whoever has looked later has changed the job since, and an older look can never undo a newer one.
  const record = await jobs.read(job);
  if (record === undefined || record.job.epoch !== epoch) {
    log.warn('An upload belongs to no job', { job, epoch });
    return;
  }
  if (!WAITING.includes(record.job.status)) {
    log.info('An upload comes after its job has moved on', { job, status: record.job.status });
    return;
  }
  const object = await uploads.inspect(record);
  if (object === undefined) {
    log.warn('An upload was deleted before it was looked at', { job, epoch });
    return;
  }
  const error = mismatchOf(record, object);
  if (error === undefined) await handOver(await accept(record, object, dependencies), dependencies);
  else await fail(await enqueueUnchecked(record, dependencies), error, dependencies);
}

/** The job in `queued`, with the tag of the object that is there now; the newest upload counts until work starts. */
async function accept(
  record: JobRecord,
  { tag }: UploadedObject,
  dependencies: ObjectCreatedDependencies,
): Promise<JobRecord> {
  if (record.job.status === 'queued' && record.objectTag === tag) return record;
  return await enqueue(record, { objectTag: tag, ...progressOf(record) }, dependencies);
}

/** The job in `queued`, through which every way to `failed` leads; an object that was checked before stays the one. */
async function enqueueUnchecked(
  record: JobRecord,
  dependencies: ObjectCreatedDependencies,
): Promise<JobRecord> {
  if (record.job.status === 'queued') return record;
  return await enqueue(record, progressOf(record), dependencies);
}

async function enqueue(
  record: JobRecord,
  set: JobFields,
  { jobs, now }: ObjectCreatedDependencies,
): Promise<JobRecord> {
  const isQueued = record.job.status === 'queued';
  return await jobs.change(record.job.id, {
    at: now().toISOString(),
    ...(isQueued ? { within: ['queued'] } : { to: 'queued' }),
    epoch: record.job.epoch,
    seq: record.job.seq,
    set,
    clear: ['step'], // `upload`, where the uploader told of its progress
  });
}

/** Where the upload told of its progress, its share is done; its bytes are counted no more. */
function progressOf({ uploadShare }: JobRecord): { readonly progress?: Progress } {
  return uploadShare === undefined ? {} : { progress: { fraction: uploadShare } };
}

async function fail(
  { job }: JobRecord,
  error: JobError,
  { jobs, now, log }: ObjectCreatedDependencies,
): Promise<void> {
  const change = { at: now().toISOString(), to: 'failed', epoch: job.epoch, seq: job.seq } as const;
  await jobs.change(job.id, { ...change, set: { error } });
  log.info('An upload is not what was announced', { job: job.id, code: error.code });
}

async function handOver({ job }: JobRecord, { work }: ObjectCreatedDependencies): Promise<void> {
  await work.send([{ job: job.id, epoch: job.epoch }]);
}
