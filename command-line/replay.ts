import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { InvalidError, parse, parseJson } from '../protocol/invalid.ts';
import { isNewer, type Job, JobSchema } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import { chooseDisplay } from './choose-display.ts';
import type { Output } from './display.ts';
import { CommandError } from './errors.ts';
import { EXIT, type ExitCode, exitCodeOf, worst } from './exit-codes.ts';

/** A timer beyond 31 bits of milliseconds goes off at once (https://nodejs.org/api/timers.html). */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** What `jobwire replay` is told. */
export interface ReplayOptions {
  /** 2 is twice as fast as it was. */
  readonly speed: number;
  readonly signal: AbortSignal;
}

/**
 * Renders what `--json` has recorded, in the time that it took (by `updatedAt`) over `speed`.
 * @param file a path, or `-` for standard input
 * @returns the code that the watch would have ended with; jobs that were not over count as succeeded
 * @throws CommandError for a file that cannot be read or a line that is no state; the signal's reason.
 */
export async function replay(file: string, { speed, signal }: ReplayOptions): Promise<ExitCode> {
  const display = chooseDisplay(process.stdout as Output, false, process.env); // standard output is one
  const newest = new Map<string, Job>();
  let lastAt: number | undefined;
  try {
    for await (const job of recordedJobs(file)) {
      signal.throwIfAborted();
      if (!isNewer(job, newest.get(job.id))) continue; // two recordings put together may say a thing twice
      const at = Date.parse(job.updatedAt);
      if (lastAt !== undefined && at > lastAt) await pause((at - lastAt) / speed, signal);
      lastAt = Math.max(at, lastAt ?? at);
      newest.set(job.id, job);
      display.job(job);
    }
  } catch (error) {
    // An aborted wait has an error of its own.
    signal.throwIfAborted();
    throw error;
  } finally {
    display.close();
  }
  if (newest.size === 0)
    throw new CommandError(`${file} has no states: record them with --json.`, EXIT.usage);
  const codes = [...newest.values()].map(({ status }) =>
    isTerminal(status) ? exitCodeOf(status) : EXIT.succeeded,
  );
  return worst(codes);
}

/** Waits so many milliseconds, however many, or rejects when the signal aborts. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  for (let left = milliseconds; left > 0; left -= LONGEST_TIMER_MS) {
    await wait(Math.min(left, LONGEST_TIMER_MS), undefined, { signal });
  }
}

async function* recordedJobs(file: string): AsyncGenerator<Job> {
  const input = file === '-' ? process.stdin : createReadStream(file);
  let number = 0;
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) {
      number += 1;
      if (line.trim() !== '') yield parse('it', JobSchema, parseJson('it', line));
    }
  } catch (cause) {
    if (cause instanceof InvalidError) {
      throw new CommandError(`${file}, line ${number}: not a recorded state: ${cause.message}`, EXIT.usage, {
        cause,
      });
    }
    if (cause instanceof Error && 'code' in cause) {
      throw new CommandError(`${file} cannot be read: ${cause.message}`, EXIT.usage, { cause });
    }
    throw cause;
  } finally {
    input.destroy();
  }
}
