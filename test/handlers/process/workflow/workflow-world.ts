import { setImmediate as turn } from 'node:timers/promises';
import { readFailure, readRangeStep, readStep } from '../../../../handlers/aws/workflow-event.ts';
import { executionNameOf } from '../../../../handlers/execution-name.ts';
import { MemoryQueue } from '../../../../handlers/memory/memory-queue.ts';
import { MemoryResults } from '../../../../handlers/memory/memory-results.ts';
import { MemoryUploads } from '../../../../handlers/memory/memory-uploads.ts';
import { MemoryWorkspace } from '../../../../handlers/memory/memory-workspace.ts';
import type { JobRecord } from '../../../../handlers/ports.ts';
import { PROFILING_LIMITS } from '../../../../handlers/process/csv-profile/profiling-limits.ts';
import { type BeginAnswer, begin } from '../../../../handlers/process/workflow/begin.ts';
import { failExecution } from '../../../../handlers/process/workflow/fail.ts';
import { fetchPayload } from '../../../../handlers/process/workflow/fetch.ts';
import { inspectPayload } from '../../../../handlers/process/workflow/inspect.ts';
import { mergeRanges } from '../../../../handlers/process/workflow/merge.ts';
import { fetchedPayload, uploadedPayload } from '../../../../handlers/process/workflow/payload.ts';
import { profilePayload } from '../../../../handlers/process/workflow/profile.ts';
import type { Deadline } from '../../../../handlers/queue-messages.ts';
import { sampleNewJob } from '../../../conformance/sample-jobs.ts';
import { ManualClock } from '../../../local/manual-clock.ts';
import { FaultyJobs } from '../faulty-jobs.ts';
import { RecordedTelemetry } from '../recorded-telemetry.ts';

/** Whether steps read the upload, or a copy that `fetch` made. */
export type Variant = 'step-functions' | 'step-functions-efs';

/** A file of seven ranges by `LIMITS`, with rows that go over lines. */
export const FILE = Buffer.from(
  `name,size\n${Array.from({ length: 40 }, (_, row) => `"né\n${row % 7}",${row}\n`).join('')}oh\n`,
);
export const LIMITS = { ...PROFILING_LIMITS, rangeBytes: 60 };

/** The steps of the workflow on memory, with one job that is queued. */
export class WorkflowWorld {
  readonly clock = new ManualClock();
  /** Every state that was committed, in order. */
  readonly states: JobRecord[] = [];
  readonly jobs = new FaultyJobs({ onCommit: (record) => this.states.push(record) });
  readonly uploads = new MemoryUploads();
  readonly results = new MemoryResults();
  readonly workspace = new MemoryWorkspace(() => this.clock.now());
  readonly deadlines = new MemoryQueue<Deadline>();
  readonly telemetry = new RecordedTelemetry();
  readonly variant: Variant;
  /** Of each function, in milliseconds. */
  timeout = 900_000;
  #record: JobRecord | undefined;

  constructor(variant: Variant = 'step-functions') {
    this.variant = variant;
  }

  /** Makes the job and uploads its payload. */
  async queue(file: Uint8Array = FILE, kind = 'csv-profile'): Promise<void> {
    const input = { fileName: 'table.csv', contentType: 'text/csv', size: file.byteLength };
    const made = await this.jobs.create(sampleNewJob({ input, kind }));
    const { tag } = this.uploads.put(made, file);
    this.#record = await this.jobs.change(made.job.id, {
      at: this.at(),
      to: 'queued',
      set: { objectTag: tag },
    });
  }

  /** The job as it was queued. */
  get record(): JobRecord {
    if (this.#record === undefined) throw new Error('nothing was queued');
    return this.#record;
  }

  at(): string {
    return new Date(this.clock.now()).toISOString();
  }

  get execution(): string {
    return executionNameOf(this.input);
  }

  get input(): { readonly job: string; readonly epoch: string } {
    return { job: this.record.job.id, epoch: this.record.job.epoch };
  }

  /** The job as it stands. */
  async job(): Promise<JobRecord> {
    const record = (await this.jobs.readMany([this.record.job.id]))[0];
    if (record === undefined) throw new Error('the job is gone');
    return record;
  }

  /** The files of the execution. */
  get files(): readonly string[] {
    return this.workspace.filesOf(this.execution);
  }

  get parts() {
    const { jobs, clock, workspace, uploads, results, deadlines, variant } = this;
    const payload = variant === 'step-functions' ? uploadedPayload(uploads) : fetchedPayload(workspace);
    const { log, meter } = this.telemetry;
    const { steps } = payload;
    const limits = LIMITS;
    return {
      ...{ jobs, clock, workspace, uploads, results, deadlines, payload, steps, limits, log, meter },
      random: () => 0.5,
    };
  }

  get #endsAt(): number {
    return this.clock.now() + this.timeout;
  }

  get #event() {
    return { ...this.input, execution: this.execution };
  }

  // As the functions of the state machine are invoked.

  begin(): Promise<BeginAnswer> {
    return begin(readStep(this.#event), this.#endsAt, this.parts);
  }

  fetch(): Promise<unknown> {
    return fetchPayload(readStep(this.#event), this.#endsAt, this.parts);
  }

  async inspect(): Promise<readonly number[]> {
    return (await inspectPayload(readStep(this.#event), this.#endsAt, this.parts)).ranges;
  }

  profile(range: number): Promise<unknown> {
    return profilePayload(readRangeStep({ ...this.#event, range }), this.#endsAt, this.parts);
  }

  merge(): Promise<unknown> {
    return mergeRanges(readStep(this.#event), this.#endsAt, this.parts);
  }

  /** As `Catch` invokes it, with what a step threw. */
  caught(error: unknown): Promise<unknown> {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const cause = { errorType: name, errorMessage: message, trace: [] };
    return this.fail({ ...this.#event, error: { Error: name, Cause: JSON.stringify(cause) } });
  }

  /** As EventBridge invokes it. */
  ended(status: 'FAILED' | 'TIMED_OUT' | 'ABORTED', detail: object = {}): Promise<unknown> {
    return this.fail({
      'detail-type': 'Step Functions Execution Status Change',
      detail: { name: this.execution, status, input: JSON.stringify(this.input), ...detail },
    });
  }

  fail(event: unknown): Promise<unknown> {
    return failExecution(readFailure(event), this.#endsAt, this.parts);
  }

  /** Everything up to the Map. Answers the numbers of ranges. */
  async toMap(): Promise<readonly number[]> {
    await this.begin();
    if (this.variant === 'step-functions-efs') await this.fetch();
    return this.inspect();
  }

  /** The whole workflow as the state machine runs it, without its `Retry`. */
  async execute(): Promise<'succeeded' | 'failed' | 'dropped'> {
    try {
      if ((await this.begin()).outcome === 'drop') return 'dropped';
      await Promise.all((await this.toMap()).map((range) => this.profile(range)));
      await this.merge();
      return 'succeeded';
    } catch (error) {
      await this.caught(error);
      await this.ended('FAILED');
      return 'failed';
    }
  }

  /** Lets time pass until something has settled; at most 20 minutes. */
  async whileTimePasses<Result>(action: () => Promise<Result>): Promise<Result> {
    let ended = false;
    const running = action().finally(() => {
      ended = true;
    });
    running.catch(() => undefined); // the caller hears of it below
    for (let passed = 0; !ended && passed < 1_200_000; passed += 500) {
      await turn();
      if (!ended) this.clock.advance(500);
    }
    return running;
  }
}
