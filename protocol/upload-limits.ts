/*
 * The numbers of an upload. In a file without schemas, because a client steers by them that must stay small.
 */

const MEBIBYTE = 1024 ** 2;

/** The largest single upload by PUT or POST, in bytes: 5 GiB (aws-facts 4, "Single PUT max 5 GB"). */
export const MAXIMUM_SINGLE_UPLOAD_BYTES = 5 * 1024 ** 3;

/** The largest upload in parts, in bytes: 5 TiB, S3's documented limit of an object (aws-facts 4, "Multipart"). */
export const MAXIMUM_MULTIPART_UPLOAD_BYTES = 5 * 1024 ** 4;

/**
 * Above this many bytes an upload goes in parts unless the caller says how: 100 MB, from where on AWS recommends
 * it (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html).
 */
export const MULTIPART_ABOVE_BYTES = 100_000_000;

/** The most parts of an upload (aws-facts 4, "Multipart"). */
export const MAXIMUM_PARTS = 10_000;

/** The least size of a part, in bytes: above S3's 5 MiB; a smaller one costs a request for less than a second's work. */
const MINIMUM_PART_BYTES = 8 * MEBIBYTE;

/**
 * The most URLs of one answer. A URL that a function's role signed takes 1.5 KB and half a millisecond, so they
 * are 300 KB, of the 6 MB that Lambda answers (aws-facts 6), and a tenth of a second.
 */
export const MAXIMUM_PART_URLS = 200;

/**
 * The size of every part but the last, in bytes, for a payload of `size` bytes: whole MiB, as small as 10,000
 * parts allow, because a part that breaks is sent again whole. 8 MiB up to 78 GiB, 525 MiB for 5 TiB.
 */
export function partSizeOf(size: number): number {
  return Math.max(MINIMUM_PART_BYTES, Math.ceil(size / MAXIMUM_PARTS / MEBIBYTE) * MEBIBYTE);
}

/** How many parts a payload of `size` bytes has; their numbers are 1 to this. */
export function partCountOf(size: number): number {
  return Math.max(1, Math.ceil(size / partSizeOf(size)));
}

/** The first byte of a part and the byte after its last. */
export function partRangeOf(
  partNumber: number,
  size: number,
): { readonly start: number; readonly end: number } {
  const partSize = partSizeOf(size);
  return { start: (partNumber - 1) * partSize, end: Math.min(size, partNumber * partSize) };
}
