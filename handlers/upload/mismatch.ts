import type { JobError } from '../../protocol/job.ts';
import type { JobRecord, UploadedObject } from '../ports.ts';

/**
 * How an upload differs from what was announced, as the error that fails the job; undefined when it does not.
 * An empty upload always differs, because at least one byte is announced.
 */
export function mismatchOf({ job }: JobRecord, object: UploadedObject): JobError | undefined {
  const { input } = job;
  if (input === undefined || input.size !== object.size) {
    const announced = input === undefined ? 'nothing' : `${input.size} bytes`;
    return {
      code: 'size-mismatch',
      title: 'The upload has another size than announced',
      detail: `${announced} announced, ${object.size} bytes uploaded`,
      retryable: false,
    };
  }
  if (essenceOf(input.contentType) !== essenceOf(object.contentType)) {
    return {
      code: 'type-mismatch',
      title: 'The upload has another content type than announced',
      detail: `${input.contentType} announced, ${object.contentType.slice(0, MAXIMUM_QUOTE)} uploaded`,
      retryable: false,
    };
  }
  return undefined;
}

/** The most of a foreign content type that is quoted, in UTF-16 units, so that the detail fits its field. */
const MAXIMUM_QUOTE = 256;

/** Two content types are the same whatever their case and the spaces around `;` (RFC 9110 8.3.1). */
function essenceOf(contentType: string): string {
  return contentType
    .trim()
    .toLowerCase()
    .replace(/\s*;\s*/g, ';');
}
