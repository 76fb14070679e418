import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { S3Refusal } from './s3-refusal.ts';

/** The most parts of one answer, also when more are asked for (S3 API, ListParts). */
const MAXIMUM_PARTS = 1_000;

/** Which upload's parts are listed. `directory` is where s3rver keeps them. */
export interface ListedUpload {
  readonly directory: string;
  readonly bucket: string;
  readonly key: string;
  readonly uploadId: string;
}

/**
 * The answer of ListParts, which s3rver does not know: the parts that are there whole, by number.
 *
 * @throws S3Refusal if `max-parts` or `part-number-marker` is no number
 */
export async function listParts(upload: ListedUpload, query: URLSearchParams): Promise<string> {
  const marker = numberOf(query, 'part-number-marker', 0);
  const limit = Math.min(MAXIMUM_PARTS, numberOf(query, 'max-parts', MAXIMUM_PARTS));
  const numbers = (await readdir(upload.directory))
    .flatMap((name) => /^(\d+)\.md5$/.exec(name)?.[1] ?? [])
    .map(Number)
    .filter((number) => number > marker)
    .sort((one, other) => one - other);
  const shown = numbers.slice(0, limit);
  const parts = await Promise.all(shown.map((number) => partOf(upload.directory, number)));
  return [
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<ListPartsResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">',
    `<Bucket>${upload.bucket}</Bucket><Key>${escaped(upload.key)}</Key><UploadId>${upload.uploadId}</UploadId>`,
    `<PartNumberMarker>${marker}</PartNumberMarker><NextPartNumberMarker>${shown.at(-1) ?? 0}</NextPartNumberMarker>`,
    `<MaxParts>${limit}</MaxParts><IsTruncated>${numbers.length > shown.length}</IsTruncated>`,
    ...parts,
    '</ListPartsResult>',
  ].join('');
}

async function partOf(directory: string, number: number): Promise<string> {
  const file = join(directory, String(number));
  const [md5, { size, mtime }] = await Promise.all([readFile(`${file}.md5`, 'utf8'), stat(file)]);
  return `<Part><PartNumber>${number}</PartNumber><LastModified>${mtime.toISOString()}</LastModified><ETag>&quot;${md5}&quot;</ETag><Size>${size}</Size></Part>`;
}

function numberOf(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name);
  if (text === null) return fallback;
  if (!/^\d{1,9}$/.test(text)) throw new S3Refusal('InvalidArgument', `Provided ${name} not an integer`);
  return Number(text);
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
