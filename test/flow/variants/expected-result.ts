import { Readable } from 'node:stream';
import { csvProfileWithin } from '../../../handlers/process/csv-profile/csv-profile.ts';
import { limitsWithRanges } from '../../../handlers/process/csv-profile/profiling-limits.ts';

/** The setting `rangeMegabytes` of every variant, so that a file of three megabytes has several ranges. */
export const RANGE_MEGABYTES = 1;

/** What every variant must make of a file, to the byte: the result of the processor, outside of any runtime. */
export async function expectedResult(
  file: Uint8Array,
  fileName: string,
  rangeMegabytes = RANGE_MEGABYTES,
): Promise<string> {
  const { body } = await csvProfileWithin(limitsWithRanges(rangeMegabytes)).process({
    body: Readable.from([Buffer.from(file)], { objectMode: false }),
    size: file.byteLength,
    contentType: 'text/csv',
    fileName,
    report: () => undefined,
    signal: new AbortController().signal,
  });
  if (typeof body !== 'string') throw new Error('the profile is text');
  return body;
}
