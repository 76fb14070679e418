import { Readable } from 'node:stream';
import { csvProfile } from '../../../handlers/process/csv-profile/csv-profile.ts';
import type {
  ColumnSummary,
  CsvProfile,
} from '../../../handlers/process/csv-profile/csv-profile-document.ts';
import type { Report } from '../../../handlers/process/report.ts';

/** Profiles a file that arrives in these chunks. */
export async function profileOf(
  chunks: readonly (string | Uint8Array)[],
  reports: Report[] = [],
): Promise<CsvProfile> {
  const bytes = chunks.map((chunk) => Buffer.from(chunk));
  const { body, contentType } = await csvProfile.process({
    body: Readable.from(bytes, { objectMode: false }),
    size: bytes.reduce((size, chunk) => size + chunk.byteLength, 0),
    contentType: 'text/csv',
    fileName: 'table.csv',
    report: (report) => void reports.push(report),
    signal: new AbortController().signal,
  });
  if (contentType !== 'application/json' || typeof body !== 'string') throw new Error('not a JSON document');
  const profile: CsvProfile = JSON.parse(body);
  return profile;
}

/** The column of that name. */
export function column(profile: CsvProfile, name: string): ColumnSummary {
  const found = profile.columns.find((candidate) => candidate.name === name);
  if (found === undefined) throw new Error(`there is no column ${name}`);
  return found;
}
