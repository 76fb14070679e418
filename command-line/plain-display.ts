import type { ConnectionState } from '../client/state.ts';
import type { UploadProgress } from '../client/upload.ts';
import type { Job } from '../protocol/job.ts';
import { describeConnection, describeJob } from './describe.ts';
import type { Display, Output } from './display.ts';
import { safeText } from './safe-text.ts';
import { formatBytes, formatFraction } from './units.ts';

/** An upload gets a line each time another tenth of it is sent. */
const UPLOAD_STEPS = 10;

/** One line a change, for logs and pipes: time, job, status, progress, message. No colours, no cursor. */
export class PlainDisplay implements Display {
  readonly #output: Pick<Output, 'write'>;
  readonly #connections = new Map<string, ConnectionState['status']>();
  #uploadStep = -1;

  constructor(output: Pick<Output, 'write'>) {
    this.#output = output;
  }

  upload(fileName: string, { sent, total }: UploadProgress): void {
    const fraction = total === 0 ? 1 : sent / total;
    const step = Math.floor(fraction * UPLOAD_STEPS);
    if (step === this.#uploadStep) return;
    this.#uploadStep = step;
    this.#print(
      new Date().toISOString(),
      `upload ${formatFraction(fraction)} of ${safeText(fileName)} (${formatBytes(total)})`,
    );
  }

  job(job: Job): void {
    this.#print(job.updatedAt, `${job.id} ${describeJob(job)}`);
  }

  connection(id: string, state: ConnectionState): void {
    const before = this.#connections.get(id) ?? 'connecting';
    this.#connections.set(id, state.status);
    const words = describeConnection(state);
    // The first connection is no news; its return after a loss is.
    if (before === state.status || (words === undefined && before === 'connecting')) return;
    if (state.status === 'closed') return;
    this.#print(new Date().toISOString(), `${id} (${words ?? 'connected again'})`);
  }

  close(): void {}

  #print(time: string, text: string): void {
    this.#output.write(`${time} ${text}\n`);
  }
}
