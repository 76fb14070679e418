import * as v from 'valibot';
import { JobIdSchema, TimeSchema } from '../protocol/job.ts';
import { MalformedDataError } from './errors.ts';

const PageCursorSchema = v.strictObject({ owner: v.string(), createdAt: TimeSchema, job: JobIdSchema });

/** Where a page of an owner's jobs ended: its last job. */
export type PageCursor = v.InferOutput<typeof PageCursorSchema>;

/** The cursor as clients see it: base64url, opaque by contract. */
export function writePageCursor(cursor: PageCursor): string {
  return Buffer.from(JSON.stringify(cursor)).toString('base64url');
}

/**
 * Reads a cursor that a client sent back. It is not signed: what a forger could reach with it is a page of
 * the same owner, which the owner may see anyway.
 * @throws MalformedDataError when it is not one of ours, or of another owner.
 */
export function readPageCursor(text: string, owner: string): PageCursor {
  const cursor = v.safeParse(PageCursorSchema, parse(text));
  if (!cursor.success || cursor.output.owner !== owner) throw new MalformedDataError('The cursor');
  return cursor.output;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (cause) {
    throw new MalformedDataError('The cursor', { cause });
  }
}
