import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import type { JobwireClient } from '../client/client.ts';
import { MAXIMUM_PAGE } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { safeText } from './safe-text.ts';
import { formatAge, formatFraction } from './units.ts';

/** What `jobwire jobs` is told. */
export interface JobsOptions {
  readonly limit: number;
  readonly json: boolean;
  readonly signal: AbortSignal;
}

const HEADINGS = ['JOB', 'STATUS', 'DONE', 'KIND', 'AGE', 'FILE'] as const;

/** Lists the caller's newest jobs. Throws what `JobwireClient.list` throws. */
export async function listJobs(client: JobwireClient, options: JobsOptions): Promise<void> {
  const jobs = await newestJobs(client, options);
  if (options.json) {
    for (const job of jobs) console.log(JSON.stringify(job));
  } else if (jobs.length === 0) {
    console.error('No jobs yet.');
  } else {
    const now = Date.now();
    for (const line of tableOf([[...HEADINGS], ...jobs.map((job) => cellsOf(job, now))])) console.log(line);
  }
}

async function newestJobs(client: JobwireClient, { limit, signal }: JobsOptions): Promise<readonly Job[]> {
  const jobs: Job[] = [];
  let cursor: string | undefined;
  do {
    const page = await client.list({
      limit: Math.min(MAXIMUM_PAGE, limit - jobs.length),
      signal,
      ...(cursor === undefined ? {} : { cursor }),
    });
    jobs.push(...page.jobs);
    cursor = page.cursor;
  } while (cursor !== undefined && jobs.length < limit);
  return jobs;
}

function cellsOf(job: Job, now: number): readonly string[] {
  return [
    job.id,
    job.stalled ? 'stalled' : job.status,
    job.status === 'succeeded'
      ? '100 %'
      : job.progress === undefined
        ? ''
        : formatFraction(job.progress.fraction),
    job.kind,
    formatAge(now - Date.parse(job.createdAt)),
    safeText(job.input?.fileName ?? ''),
  ];
}

/** Columns as wide as their widest cell; on a terminal no line is longer than it is wide. */
function tableOf(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => stringWidth(row[column] ?? ''))));
  const limit = process.stdout.isTTY ? process.stdout.columns : Number.POSITIVE_INFINITY;
  return rows.map((row) => {
    const cells = row.map((cell, column) => cell + ' '.repeat((widths[column] ?? 0) - stringWidth(cell)));
    const line = cells.join('  ').trimEnd();
    return stringWidth(line) <= limit ? line : `${sliceAnsi(line, 0, limit - 1)}…`;
  });
}
