import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import type { JobChange, JobRecord } from '../../../handlers/ports.ts';

/** `MemoryJobs` that fails, or keeps one waiting, when it is told to. */
export class FaultyJobs extends MemoryJobs {
  readonly changes: JobChange[] = [];
  reads = 0;
  concurrent = 0;
  mostConcurrent = 0;
  /** Asked before every change; what it answers is thrown, what it awaits is waited for. */
  before: (change: JobChange) => Promise<Error | undefined> = async () => undefined;
  /** As `before`, but after the change has been committed: the answer is lost. */
  after: (change: JobChange) => Error | undefined = () => undefined;
  /** As `before`, for reads. */
  beforeRead: () => Error | undefined = () => undefined;

  override async change(id: string, change: JobChange): Promise<JobRecord> {
    this.concurrent += 1;
    this.mostConcurrent = Math.max(this.mostConcurrent, this.concurrent);
    try {
      const failure = await this.before(change);
      if (failure !== undefined) throw failure;
      const record = await super.change(id, change);
      this.changes.push(change);
      const lost = this.after(change);
      if (lost !== undefined) throw lost;
      return record;
    } finally {
      this.concurrent -= 1;
    }
  }

  override async read(id: string): Promise<JobRecord | undefined> {
    this.reads += 1;
    const failure = this.beforeRead();
    if (failure !== undefined) throw failure;
    return super.read(id);
  }
}
