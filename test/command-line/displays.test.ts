import { PassThrough } from 'node:stream';
import { WriteStream } from 'node:tty';
import { stripVTControlCharacters } from 'node:util';
import stringWidth from 'string-width';
import { describe, expect, it, vi } from 'vitest';
import { renderLine } from '../../command-line/bar-line.ts';
import { BarsDisplay } from '../../command-line/bars-display.ts';
import { chooseDisplay } from '../../command-line/choose-display.ts';
import type { Output } from '../../command-line/display.ts';
import { PlainDisplay } from '../../command-line/plain-display.ts';
import { safeText } from '../../command-line/safe-text.ts';
import { formatAge, formatBytes, formatFraction } from '../../command-line/units.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';

const HOSTILE = 'a\u001b[2Jb\u001b]0;title\u0007c\nd\r\u202ee\u0000';

/** A terminal that keeps what is written to it. */
function terminal(columns: number, isTTY = true, rows = 24): { output: Output; written(): string } {
  const stream = new PassThrough();
  let text = '';
  stream.on('data', (chunk) => {
    text += String(chunk);
  });
  const output = Object.assign(stream, { columns, rows, isTTY, fd: 1 }) as unknown as Output; // what a display uses of one
  return { output, written: () => text };
}

describe('text from elsewhere', () => {
  it('has nothing that a terminal would obey', () => {
    expect(safeText(HOSTILE)).toBe('abc d e');
  });

  it('is made safe in every display', () => {
    const job = sampleJob(1, 'running', {
      message: HOSTILE,
      step: { name: HOSTILE, index: 1, count: 2 },
    });
    const failed = sampleJob(2, 'failed', {
      error: { code: 'x', title: HOSTILE, detail: HOSTILE, retryable: false },
    });
    const plain = terminal(80, false);
    const display = new PlainDisplay(plain.output);
    display.job(job);
    display.job(failed);
    display.upload(HOSTILE, { sent: 1, total: 2 });
    // biome-ignore lint/suspicious/noControlCharactersInRegex: their absence is what is tested
    expect(plain.written()).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u202e]/);
    expect(plain.written().split('\n')).toHaveLength(4);
  });
});

describe('bars', () => {
  it('fit the terminal, however narrow, whatever characters the words have', () => {
    for (const width of [20, 40, 80, 200]) {
      const line = {
        label: 'upload',
        fraction: 0.5,
        tone: 'busy',
        details: ['都市.csv'.repeat(40)],
      } as const;
      const { output } = terminal(width);
      expect(stringWidth(renderLine(line, 6, width, output))).toBeLessThanOrEqual(width);
    }
  });

  it('say 100 % of what is over alone', () => {
    const { output } = terminal(80);
    const line = { label: 'x', fraction: 0.9999, tone: 'busy', details: [] } as const;
    expect(stripVTControlCharacters(renderLine(line, 1, 80, output))).toContain(' 99 %');
  });

  it('have colours on a terminal, and none where NO_COLOR is set', () => {
    const { output } = terminal(80);
    // As a real terminal looks at the environment, of which only NO_COLOR counts: Node asks CI before TERM.
    Object.assign(output, {
      getColorDepth: ({ NO_COLOR } = process.env) =>
        WriteStream.prototype.getColorDepth({
          TERM: 'xterm-256color',
          ...(NO_COLOR === undefined ? {} : { NO_COLOR }),
        }),
    });
    const line = { label: 'x', fraction: 0.5, tone: 'busy', details: [] } as const;
    vi.stubEnv('FORCE_COLOR', undefined);
    vi.stubEnv('NO_COLOR', undefined);
    const coloured = renderLine(line, 1, 80, output);
    vi.stubEnv('NO_COLOR', '1');
    const plain = renderLine(line, 1, 80, output);
    vi.unstubAllEnvs();
    expect(coloured).toContain('\u001b[36m');
    expect(plain).toBe(stripVTControlCharacters(coloured));
  });

  it('show uploads and jobs, and leave the last states where they are', () => {
    const { output, written } = terminal(140);
    const display = new BarsDisplay(output);
    display.upload('cities.csv', { sent: 50_000_000, total: 100_000_000 });
    display.connection(jobId(1), { status: 'reconnecting', since: 0 });
    display.job(sampleJob(3, 'running', { progress: { fraction: 0.4 }, message: 'column 7' }));
    const other = { id: jobId(2), progress: { fraction: 0.9 } };
    display.connection(jobId(2), { status: 'reconnecting', since: 0 });
    display.job(sampleJob(4, 'succeeded', other));
    display.close();
    const lines = stripVTControlCharacters(written()).trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^upload +━{16}─{16} {2}50 % 50\.0 MB of 100 MB · cities\.csv$/u);
    expect(lines[1]).toMatch(
      /^job_0+1 ━{12}─{20} {2}40 % running · connection lost, connecting again · column 7$/u,
    );
    expect(lines[2]).toMatch(/^job_0+2 ━{32} 100 % succeeded$/u);
  });
});

it('bars leave every job behind, also those for which the terminal had no room', () => {
  const { output, written } = terminal(80, true, 4);
  const display = new BarsDisplay(output);
  for (let number = 1; number <= 6; number += 1) {
    display.job(sampleJob(4, number === 1 ? 'failed' : 'succeeded', { id: jobId(number) }));
  }
  display.close();
  const lines = stripVTControlCharacters(written()).trim().split('\n');
  expect(lines).toHaveLength(6);
  expect(lines[0]).toContain('failed');
});

describe('plain lines', () => {
  it('come once for a change, and for a connection that was lost and came back', () => {
    const { output, written } = terminal(80, false);
    const display = new PlainDisplay(output);
    display.connection(jobId(1), { status: 'live' });
    display.job(sampleJob(1, 'queued'));
    display.connection(jobId(1), { status: 'reconnecting', since: 0 });
    display.connection(jobId(1), { status: 'reconnecting', since: 0 });
    display.connection(jobId(1), { status: 'live' });
    for (let sent = 0; sent <= 100; sent += 1) display.upload('a.csv', { sent, total: 100 });
    const lines = written().trim().split('\n');
    expect(lines.map((line) => line.replace(/^\S+ (job_\w+ )?/, ''))).toEqual([
      'queued',
      '(connection lost, connecting again)',
      '(connected again)',
      ...Array.from({ length: 11 }, (_, step) => `upload ${step * 10} % of a.csv (100 bytes)`),
    ]);
  });

  it('are chosen where nothing can move', () => {
    expect(chooseDisplay(terminal(80, false).output, false, {})).toBeInstanceOf(PlainDisplay);
    expect(chooseDisplay(terminal(80).output, false, { TERM: 'dumb' })).toBeInstanceOf(PlainDisplay);
    expect(chooseDisplay(terminal(0, true, 0).output, false, { TERM: 'xterm' })).toBeInstanceOf(PlainDisplay);
    expect(chooseDisplay(terminal(80).output, false, { TERM: 'xterm' })).toBeInstanceOf(BarsDisplay);
  });
});

it('units are those of people', () => {
  expect([0, 999, 1_000, 1_450_000, 999_960_000, 5e12].map(formatBytes)).toEqual([
    '0 bytes',
    '999 bytes',
    '1.0 kB',
    '1.4 MB',
    '1.0 GB',
    '5.0 TB',
  ]);
  expect([0, 0.999, 1].map(formatFraction)).toEqual(['0 %', '99 %', '100 %']);
  expect([-5, 59_000, 61_000, 7_200_000, 200_000_000].map(formatAge)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '2 h',
    '2 d',
  ]);
});
