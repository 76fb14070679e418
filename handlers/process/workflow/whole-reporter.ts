import type { Jobs } from '../../ports.ts';
import type { Persistence } from '../persistence.ts';
import { mergeReport, type ReportedFields } from '../progress-merge.ts';
import { WRITE_EVERY } from '../progress-reporter.ts';
import type { StepRun } from './run-step.ts';
import { reportOf, type StepName, type Steps } from './step-progress.ts';
import { reportOn, StepReporter } from './step-reporter.ts';

/** Writes how far a step is that works on the whole file, `size` bytes. */
export class WholeReporter {
  readonly #reporter: StepReporter;
  readonly #reportOf: (done: number) => ReturnType<typeof reportOf>;
  #done = 0;

  constructor(
    parts: Persistence & { readonly jobs: Jobs },
    run: StepRun,
    step: { readonly steps: Steps; readonly name: StepName; readonly size: number },
  ) {
    this.#reportOf = (done) => reportOf(step.steps, step.name, done, step.size);
    this.#reporter = new StepReporter(
      {
        ...parts,
        writeEvery: WRITE_EVERY,
        fieldsOn: (record) => reportOn(record, this.#reportOf(this.#done)),
      },
      run,
    );
    this.#reporter.request();
  }

  /** So many bytes are done. Safe in a tight loop; never waits. */
  report(done: number): void {
    this.#done = done;
    this.#reporter.request();
  }

  /** Writes the last figures. @throws as `StepReporter`. */
  async finish(): Promise<void> {
    await this.#reporter.finish();
  }

  /** Stops writing, and answers what the job is to say last. */
  async settle(): Promise<ReportedFields> {
    const { job, uploadShare } = await this.#reporter.settle();
    const { progress, step, message } = job;
    const known = {
      ...(progress === undefined ? {} : { progress }),
      ...(step === undefined ? {} : { step }),
      ...(message === undefined ? {} : { message }),
    };
    return mergeReport(known, this.#reportOf(this.#done), uploadShare);
  }
}
