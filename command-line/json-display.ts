import type { Job } from '../protocol/job.ts';
import type { Display, Output } from './display.ts';

/** One line of JSON a state: the job as the API gives it. `jobwire replay` renders what was recorded so. */
export class JsonDisplay implements Display {
  readonly #output: Pick<Output, 'write'>;

  constructor(output: Pick<Output, 'write'>) {
    this.#output = output;
  }

  upload(): void {}

  job(job: Job): void {
    this.#output.write(`${JSON.stringify(job)}\n`);
  }

  connection(): void {}

  close(): void {}
}
