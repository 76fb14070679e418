import type { Job } from '../../protocol/job.ts';
import { isTerminal } from '../../protocol/status.ts';
import { ChangeRefusedError, JobExistsError, JobNotFoundError } from '../errors.ts';
import { isMadeAlready, refusalOf } from '../job-change.ts';
import { checkFields, checkNewJob } from '../job-fields.ts';
import { readPageCursor, writePageCursor } from '../page-cursor.ts';
import type { ClearableField, JobChange, JobRecord, JobRecordPage, Jobs, NewJob } from '../ports.ts';

/** `Jobs` in memory, with the refusals of the table. */
export class MemoryJobs implements Jobs {
  readonly #records = new Map<string, JobRecord>();
  readonly #onCommit: (record: JobRecord) => void;

  /** `onCommit` is told every committed state in order, as the table's stream is. */
  constructor(settings: { readonly onCommit?: (record: JobRecord) => void } = {}) {
    this.#onCommit = settings.onCommit ?? (() => {});
  }

  async create(newJob: NewJob): Promise<JobRecord> {
    const job = checkNewJob(newJob);
    const current = this.#records.get(job.id);
    if (current !== undefined) throw new JobExistsError(structuredClone(current));
    return this.#commit({
      job: {
        id: job.id,
        kind: job.kind,
        epoch: job.epoch,
        seq: 1,
        status: 'awaiting-upload',
        stalled: false,
        input: job.input,
        tags: [...job.tags],
        createdAt: job.at,
        updatedAt: job.at,
        expiresAt: toWholeSecond(job.expiresAt),
        history: [{ status: 'awaiting-upload', at: job.at, seq: 1 }],
      },
      owner: job.owner,
      upload: job.upload,
      ...(job.uploadId === undefined ? {} : { uploadId: job.uploadId }),
      ...(job.crc32 === undefined ? {} : { crc32: job.crc32 }),
      uploadUntil: job.uploadUntil,
      fingerprint: job.fingerprint,
    });
  }

  async read(id: string): Promise<JobRecord | undefined> {
    return structuredClone(this.#records.get(id));
  }

  async readMany(ids: readonly string[]): Promise<readonly JobRecord[]> {
    return [...new Set(ids)].flatMap((id) => structuredClone(this.#records.get(id)) ?? []);
  }

  async change(id: string, change: JobChange): Promise<JobRecord> {
    const set = checkFields(change.set ?? {});
    const current = this.#records.get(id);
    if (current === undefined) throw new JobNotFoundError(id);
    const refusal = refusalOf(current, change);
    if (refusal !== undefined) {
      if (isMadeAlready(current, change)) return structuredClone(current);
      throw new ChangeRefusedError(refusal, structuredClone(current), change.to);
    }
    return this.#commit(changed(current, { ...change, set }));
  }

  async list(
    owner: string,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<JobRecordPage> {
    const after = page.cursor === undefined ? undefined : readPageCursor(page.cursor, owner);
    const records = [...this.#records.values()]
      .filter((record) => record.owner === owner)
      .sort((one, other) => compare(positionOf(other), positionOf(one)))
      .filter((record) => after === undefined || positionOf(record) < `${after.createdAt} ${after.job}`);
    const shown = records.slice(0, page.limit);
    const last = shown.at(-1)?.job;
    return {
      records: structuredClone(shown),
      ...(records.length > shown.length && last !== undefined
        ? { cursor: writePageCursor({ owner, createdAt: last.createdAt, job: last.id }) }
        : {}),
    };
  }

  /** Forgets a job, as TTL deletes it. */
  forget(id: string): void {
    this.#records.delete(id);
  }

  #commit(record: JobRecord): JobRecord {
    this.#records.set(record.job.id, record);
    this.#onCommit(structuredClone(record));
    return structuredClone(record);
  }
}

/** The job after a change that its rules allow; the fields have been checked. */
function changed(current: JobRecord, change: JobChange): JobRecord {
  const { objectTag, uploadShare, ranges, execution, ...fields } = change.set ?? {};
  const { at, to } = change;
  const seq = current.job.seq + 1;
  const { ranges: before, ...kept } = current;
  const after = ranges ?? (change.clear?.includes('ranges') === true ? undefined : before);
  return structuredClone({
    ...kept,
    ...(after === undefined ? {} : { ranges: after }),
    ...(objectTag === undefined ? {} : { objectTag }),
    ...(uploadShare === undefined ? {} : { uploadShare }),
    ...(execution === undefined ? {} : { execution }),
    job: {
      ...without(current.job, change.clear ?? []),
      stalled: false,
      ...fields,
      seq,
      updatedAt: at,
      ...(to === undefined ? {} : { status: to, history: [...current.job.history, { status: to, at, seq }] }),
      ...(to === 'running' ? { startedAt: at } : {}),
      ...(to !== undefined && isTerminal(to) ? { finishedAt: at } : {}),
    },
  });
}

function without(job: Job, fields: readonly ClearableField[]): Job {
  const kept = { ...job };
  for (const field of fields) if (field !== 'ranges') delete kept[field];
  return kept;
}

/** The table keeps `expiresAt` in whole seconds, because that is what TTL reads. */
function toWholeSecond(time: string): string {
  return new Date(Math.floor(Date.parse(time) / 1000) * 1000).toISOString();
}

function positionOf(record: JobRecord): string {
  return `${record.job.createdAt} ${record.job.id}`;
}

function compare(one: string, other: string): number {
  if (one === other) return 0;
  return one < other ? -1 : 1;
}
