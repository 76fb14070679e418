import type { Job } from '../protocol/job.ts';
import { JobRecord } from './job-record.ts';

/** What this page has gathered of each job that it has seen. */
export class JobRecords {
  readonly #records = new Map<string, JobRecord>();
  readonly #touched = new Set<JobRecord>();

  /** The record of a job; empty until a state of it has come. */
  of(id: string): JobRecord {
    let record = this.#records.get(id);
    if (record === undefined) {
      record = new JobRecord();
      this.#records.set(id, record);
    }
    return record;
  }

  /** Takes a state at `now`. */
  take(job: Job, now: number): void {
    const record = this.of(job.id);
    record.take(job, now);
    this.#touched.add(record);
  }

  /** Shows what has been gathered since the last time. */
  publish(): void {
    for (const record of this.#touched) record.publish();
    this.#touched.clear();
  }

  /** Forgets a job. */
  forget(id: string): void {
    this.#records.delete(id);
  }
}
