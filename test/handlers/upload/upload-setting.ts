import { MemoryJobs } from '../../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../../handlers/memory/memory-queue.ts';
import { MemoryUploads } from '../../../handlers/memory/memory-uploads.ts';
import type { JobRecord, NewJob } from '../../../handlers/ports.ts';
import type { Work } from '../../../handlers/queue-messages.ts';
import {
  createObjectCreated,
  type ObjectCreatedDependencies,
} from '../../../handlers/upload/object-created.ts';

/** The content that the setting's job announces. */
export const CONTENT = 'a,b\n1,2\n3,4\n';

/** The job that waits for its upload in every test. */
export const NEW_JOB: NewJob = {
  id: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA',
  epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZB',
  kind: 'csv-profile',
  owner: 'ann',
  tags: [],
  input: { fileName: 'a.csv', contentType: 'text/csv', size: CONTENT.length },
  upload: 'put',
  fingerprint: 'f',
  at: '2026-11-23T12:00:00.000Z',
  uploadUntil: '2026-11-23T13:00:00.000Z',
  expiresAt: '2026-11-30T12:00:00.000Z',
};

/** The event of the setting's job. */
export const EVENT = { job: NEW_JOB.id, epoch: NEW_JOB.epoch };

/** The object-created stage on memory, with one job that waits for its upload. */
export class UploadSetting {
  readonly jobs = new MemoryJobs();
  readonly uploads = new MemoryUploads();
  readonly work = new MemoryQueue<Work>();
  readonly handle: ReturnType<typeof createObjectCreated>;

  constructor(overrides: (own: UploadSetting) => Partial<ObjectCreatedDependencies> = () => ({})) {
    const ignore = () => {};
    this.handle = createObjectCreated({
      jobs: this.jobs,
      uploads: this.uploads,
      work: this.work,
      now: () => new Date('2026-11-23T12:00:30.000Z'),
      log: { info: ignore, warn: ignore, error: ignore },
      ...overrides(this),
    });
  }

  /** Makes the job and answers with it. */
  createJob(): Promise<JobRecord> {
    return this.jobs.create(NEW_JOB);
  }

  /** The job as it stands. */
  async job(): Promise<JobRecord> {
    const record = await this.jobs.read(NEW_JOB.id);
    if (record === undefined) throw new Error('the job is gone');
    return record;
  }
}
