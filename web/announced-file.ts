import * as v from 'valibot';
import { ContentTypeSchema, FileNameSchema } from '../protocol/job.ts';
import { MAXIMUM_MULTIPART_UPLOAD_BYTES } from '../protocol/upload.ts';
import { formatBytes } from './units.ts';

/** Windows calls a CSV file `application/vnd.ms-excel` once Excel is installed, so the ending decides first. */
const TYPES_BY_ENDING: Readonly<Record<string, string>> = {
  csv: 'text/csv',
  tsv: 'text/tab-separated-values',
  json: 'application/json',
  txt: 'text/plain',
};

/** A file's name and type as `POST /jobs` takes them. */
export function announce(file: File): { fileName: string; contentType: string } {
  return { fileName: announcedName(file.name), contentType: announcedType(file) };
}

/** Why a file is not worth a request, or nothing. */
export function refuse(file: File): string | undefined {
  if (file.size === 0) return `“${file.name}” is empty: there is nothing to process. Choose another file.`;
  if (file.size <= MAXIMUM_MULTIPART_UPLOAD_BYTES) return undefined;
  return `“${file.name}” has ${formatBytes(file.size)}; an upload takes ${formatBytes(MAXIMUM_MULTIPART_UPLOAD_BYTES)} at most.`;
}

function announcedName(name: string): string {
  const clean = name.replace(/[\p{Cc}\p{Cs}/\\]/gu, '_');
  return v.is(FileNameSchema, clean) ? clean : 'file';
}

function announcedType(file: File): string {
  const ending = /\.([^.]+)$/.exec(file.name)?.[1]?.toLowerCase() ?? '';
  const type = TYPES_BY_ENDING[ending] ?? file.type;
  return v.is(ContentTypeSchema, type) ? type : 'application/octet-stream';
}
