import type { CreateJobInput } from '../protocol/http.ts';
import { crc32Of } from './upload-crc32.ts';

/** How much is looked at of each end and of the middle of a file, in bytes. */
const SAMPLE_BYTES = 1_048_576;

/** What makes a call the same call, beside the file. */
export interface UploadCall {
  /** Where the API is. */
  readonly base: string;
  /** Who calls, where the client was told. */
  readonly subject: string | undefined;
  readonly input: CreateJobInput;
  readonly idempotencyKey: string | undefined;
}

/**
 * Text that is the same for the same call with the same file, and for no other: by all that is asked for, by the
 * file's date, and by a sample of its bytes, since a file may be rewritten under its old date. Undefined where that
 * cannot be said: a Blob has no date, so that what it has between the samples may be anything, unless the caller
 * vouches for it by a key.
 * @throws the signal's reason; UnreadableFileError.
 */
export async function uploadIdentityOf(
  file: Blob,
  { base, subject, input, idempotencyKey }: UploadCall,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { lastModified } = file as Partial<File>; // a File is a Blob with a date
  if (lastModified === undefined && idempotencyKey === undefined) return undefined;
  const sample = await crc32Of(sampleOf(file), signal);
  return JSON.stringify([base, subject, input, lastModified, idempotencyKey, sample]);
}

function sampleOf(file: Blob): Blob {
  const middle = Math.max(SAMPLE_BYTES, Math.floor((file.size - SAMPLE_BYTES) / 2));
  return new Blob([
    file.slice(0, SAMPLE_BYTES),
    file.slice(middle, middle + SAMPLE_BYTES),
    file.slice(Math.max(SAMPLE_BYTES, file.size - SAMPLE_BYTES)),
  ]);
}
