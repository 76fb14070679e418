import { createReadStream } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { csvProfile } from '../../handlers/process/csv-profile/csv-profile.ts';
import type { CsvProfile } from '../../handlers/process/csv-profile/csv-profile-document.ts';
import type { HistoryEntry, Job } from '../../protocol/job.ts';
import type { Status } from '../../protocol/status.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';

const ENDED: readonly Status[] = ['succeeded', 'failed', 'cancelled', 'expired'];

/** A job of the gallery: `from` are the seconds that each of its statuses began at, before now. */
export function galleryJob(
  number: number,
  fileName: string,
  from: Partial<Record<Status, number>>,
  changes: Partial<Job> = {},
  now = Date.now(),
): Job {
  const at = (seconds: number) => new Date(now - seconds * 1000).toISOString();
  const history = Object.entries(from).map(
    ([status, seconds], index, all): HistoryEntry => ({
      status: status as Status,
      at: at(seconds),
      seq: index === all.length - 1 && ENDED.includes(status as Status) ? 40 + number : index + 1,
    }), // the keys of `from` are statuses
  );
  const last = history.at(-1);
  if (last === undefined) throw new Error('a job has a status');
  return sampleJob(changes.seq ?? 40 + number, last.status, {
    id: jobId(number),
    input: { fileName, contentType: 'text/csv', size: 314_572_800 },
    createdAt: history[0]?.at ?? last.at,
    updatedAt: at(ENDED.includes(last.status) ? (from[last.status] ?? 0) : 10),
    ...(from.running === undefined ? {} : { startedAt: at(from.running) }),
    ...(ENDED.includes(last.status) ? { finishedAt: last.at } : {}),
    expiresAt: new Date(now + 7 * 86_400_000).toISOString(),
    history,
    ...changes,
  });
}

/** The jobs of a busy morning, newest first. */
export function galleryJobs(now = Date.now()): readonly Job[] {
  const result = (number: number) => ({
    href: `/jobs/${jobId(number)}/result`,
    contentType: 'application/json',
    size: 18_204,
  });
  return [
    galleryJob(19, 'meter-readings-2026-11.csv', { 'awaiting-upload': 4 }, { tags: ['nightly'] }, now),
    galleryJob(18, 'orders.csv', { 'awaiting-upload': 21, queued: 2 }, { tags: ['finance', 'nightly'] }, now),
    galleryJob(
      17,
      'measurements.csv',
      { 'awaiting-upload': 47, queued: 33, running: 31 },
      {
        tags: ['nightly'],
        progress: { done: 132_120_576, total: 314_572_800, unit: 'bytes', fraction: 0.42 },
        step: { name: 'profile', index: 2, count: 3 },
        message: '1,048,576 rows read, 3 of them malformed',
      },
      now,
    ),
    galleryJob(
      16,
      'a very long file name that somebody gave an export of the customer relations system (final, corrected).csv',
      { 'awaiting-upload': 300, queued: 280, running: 279 },
      {
        stalled: true,
        progress: { done: 90, total: 100, unit: 'rows', fraction: 0.9 },
        step: { name: 'summarize', index: 3, count: 3 },
        message: 'sorting the columns',
      },
      now,
    ),
    galleryJob(
      15,
      'cities.csv',
      { 'awaiting-upload': 900, queued: 888, running: 887, succeeded: 853 },
      {
        tags: ['geo'],
        result: result(15),
        progress: { done: 314_572_800, total: 314_572_800, unit: 'bytes', fraction: 1 },
        step: { name: 'summarize', index: 3, count: 3 },
        message: '2,400,000 rows in 8 columns',
      },
      now,
    ),
    galleryJob(
      14,
      'scan.pdf',
      { 'awaiting-upload': 3_000, queued: 2_990, running: 2_989, failed: 2_988 },
      {
        error: {
          code: 'not-csv',
          title: 'This is not a CSV file',
          detail:
            'The file begins with “%PDF-1.7”. Save it as CSV, with commas or semicolons, and upload that.',
          retryable: false,
        },
        step: { name: 'sniff', index: 1, count: 3 },
      },
      now,
    ),
    galleryJob(
      13,
      'inventory.csv',
      { 'awaiting-upload': 4_000, queued: 3_960, running: 3_959, cancelled: 3_930 },
      { progress: { fraction: 0.31 }, step: { name: 'profile', index: 2, count: 3 } },
      now,
    ),
    galleryJob(12, 'forgotten.csv', { 'awaiting-upload': 90_000, expired: 3_600 }, {}, now),
    ...Array.from({ length: 11 }, (_, index) =>
      galleryJob(
        11 - index,
        `readings-${String(24 - index).padStart(2, '0')}.csv`,
        {
          'awaiting-upload': 86_400 + index * 3_600,
          queued: 86_390 + index * 3_600,
          running: 86_389 + index * 3_600,
          succeeded: 86_350 + index * 3_571,
        },
        { tags: ['nightly'], result: result(11 - index) },
        now,
      ),
    ),
  ];
}

/** A public file with 14 columns of many sorts. */
export const PROFILED_FILE = fileURLToPath(
  new URL('../../node_modules/vega-datasets/data/birdstrikes.csv', import.meta.url),
);

/** What the processor really makes of a file. */
export async function profileOf(file: string): Promise<CsvProfile> {
  const result = await csvProfile.process({
    body: createReadStream(file),
    size: 1,
    fileName: 'cities.csv',
    contentType: 'text/csv',
    report: () => {},
    signal: new AbortController().signal,
  });
  return JSON.parse(String(result.body)) as CsvProfile; // what the processor has just made
}
