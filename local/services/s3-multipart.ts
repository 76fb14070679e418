import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync } from 'node:fs';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { S3Refusal } from './s3-refusal.ts';

/** An object made of parts. */
export interface AssembledObject {
  readonly key: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly size: number;
  /** MD5 of the parts' MD5s, then `-` and their number (aws-facts 4); without quotes. */
  readonly etag: string;
}

/** Bytes that every part but the last has at least (S3UG:qfacts; aws-facts 4). */
const MINIMUM_PART_BYTES = 5 * 1024 * 1024;

/**
 * Writes the parts of an upload, one after another, into one file. s3rver keeps them in `directory`, but takes
 * whatever parts it is told, and gives the object the ETag of a plain upload.
 *
 * @throws S3Refusal for a part that is missing, has another ETag, is out of order or too small
 */
export async function assembleParts(
  directory: string,
  parts: readonly { readonly number: number; readonly etag: string }[],
  target: string,
): Promise<AssembledObject> {
  const { key, metadata } = await readUpload(directory);
  if (parts.some(({ number }, index) => number <= (parts[index - 1]?.number ?? 0))) {
    throw new S3Refusal('InvalidPartOrder', 'The list of parts was not in ascending order.');
  }
  const digests = createHash('md5');
  let size = 0;
  for (const [index, { number, etag }] of parts.entries()) {
    const file = join(directory, String(number));
    const md5 = await readDigest(file);
    if (!Number.isInteger(number) || md5 === undefined || md5 !== etag) {
      throw new S3Refusal(
        'InvalidPart',
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified entity tag may not match the part's entity tag.",
        { PartNumber: number, ETag: etag },
      );
    }
    const bytes = (await stat(file)).size;
    if (bytes < MINIMUM_PART_BYTES && index < parts.length - 1) {
      throw new S3Refusal('EntityTooSmall', 'Your proposed upload is smaller than the minimum allowed size', {
        ProposedSize: bytes,
        MinSizeAllowed: MINIMUM_PART_BYTES,
        PartNumber: number,
      });
    }
    digests.update(Buffer.from(md5, 'hex'));
    size += bytes;
  }
  try {
    for (const [index, { number }] of parts.entries()) {
      const flags = index === 0 ? 'w' : 'a';
      await pipeline(createReadStream(join(directory, String(number))), createWriteStream(target, { flags }));
    }
  } catch (error) {
    await rm(target, { force: true });
    throw error;
  }
  return { key, metadata, size, etag: `${digests.digest('hex')}-${parts.length}` };
}

/** Removes the directory of an upload unless the upload still exists. */
export async function removeUnlessBegun(directory: string): Promise<void> {
  if (!existsSync(join(directory, 'key')))
    await rm(directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 10 });
}

/**
 * The key and metadata that an upload began with.
 *
 * @throws S3Refusal if there is no such upload
 */
export async function readUpload(
  directory: string,
): Promise<{ readonly key: string; readonly metadata: Readonly<Record<string, unknown>> }> {
  try {
    const key = await readFile(join(directory, 'key'), 'utf8');
    // s3rver wrote the request's headers here.
    const metadata = JSON.parse(await readFile(join(directory, 'metadata'), 'utf8')) as Record<
      string,
      unknown
    >;
    return { key, metadata };
  } catch (cause) {
    throw new S3Refusal(
      'NoSuchUpload',
      'The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.',
      {},
      { cause },
    );
  }
}

/** The MD5 that a part was stored with; undefined where there is no such part. */
async function readDigest(file: string): Promise<string | undefined> {
  try {
    return await readFile(`${file}.md5`, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
