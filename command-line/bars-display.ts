import { createLogUpdate } from 'log-update';
import type { ConnectionState } from '../client/state.ts';
import type { UploadProgress } from '../client/upload.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { type Line, renderLine } from './bar-line.ts';
import { describeConnection, describeDetails } from './describe.ts';
import type { Display, Output } from './display.ts';
import { safeText } from './safe-text.ts';
import { formatBytes } from './units.ts';

/** At most so often is the screen drawn, in milliseconds: 20 times a second looks smooth and costs little. */
const FRAME_MS = 50;

interface Row {
  readonly job?: Job;
  readonly connection?: ConnectionState;
}

/** Bars that move in place on a terminal. Only what has changed is written again, so nothing flickers. */
export class BarsDisplay implements Display {
  readonly #output: Output;
  readonly #update: ReturnType<typeof createLogUpdate>;
  readonly #rows = new Map<string, Row>();
  readonly #draw = () => this.#drawNow();
  #upload: Line | undefined;
  #frame: ReturnType<typeof setTimeout> | undefined;

  constructor(output: Output) {
    this.#output = output;
    this.#update = createLogUpdate(output);
    output.on('resize', this.#draw);
  }

  upload(fileName: string, { sent, total }: UploadProgress): void {
    this.#upload = {
      label: 'upload',
      fraction: total === 0 ? 1 : sent / total,
      tone: sent < total ? 'busy' : 'good',
      details: [`${formatBytes(sent)} of ${formatBytes(total)}`, safeText(fileName)],
    };
    this.#drawSoon();
  }

  job(job: Job): void {
    this.#rows.set(job.id, { ...this.#rows.get(job.id), job });
    this.#drawSoon();
  }

  connection(id: string, connection: ConnectionState): void {
    this.#rows.set(id, { ...this.#rows.get(id), connection });
    this.#drawSoon();
  }

  close(): void {
    clearTimeout(this.#frame);
    this.#output.off('resize', this.#draw);
    // Once more and whole: what moves in place is cut to the height of the terminal, and with it who failed.
    this.#update.clear();
    const lines = this.#lines();
    if (lines.length > 0) this.#output.write(`${lines.join('\n')}\n`);
    this.#update.done();
  }

  #drawSoon(): void {
    this.#frame ??= setTimeout(this.#draw, FRAME_MS);
  }

  #drawNow(): void {
    clearTimeout(this.#frame);
    this.#frame = undefined;
    this.#update(this.#lines().join('\n'));
  }

  #lines(): readonly string[] {
    const lines = [...this.#rows].map(([id, row]) => lineOf(id, row));
    if (this.#upload !== undefined) lines.unshift(this.#upload);
    const labelWidth = Math.max(0, ...lines.map(({ label }) => label.length));
    return lines.map((line) => renderLine(line, labelWidth, this.#output.columns, this.#output));
  }
}

function lineOf(id: string, { job, connection }: Row): Line {
  const isOver = job !== undefined && isTerminal(job.status);
  const trouble = connection && !isOver ? describeConnection(connection) : undefined;
  const warning = trouble === undefined ? [] : [trouble];
  if (job === undefined) return { label: id, fraction: 0, tone: 'idle', details: ['connecting', ...warning] };
  return {
    label: id,
    fraction: job.status === 'succeeded' ? 1 : (job.progress?.fraction ?? 0),
    tone: toneOf(job),
    details: [job.status, ...warning, ...describeDetails(job)],
  };
}

function toneOf({ status, stalled }: Job): Line['tone'] {
  switch (status) {
    case 'awaiting-upload':
    case 'queued':
      return 'idle';
    case 'running':
      return stalled ? 'halted' : 'busy';
    case 'succeeded':
      return 'good';
    case 'failed':
      return 'bad';
    case 'cancelled':
    case 'expired':
      return 'halted';
  }
}
