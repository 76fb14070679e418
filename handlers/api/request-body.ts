import { InvalidError, parse, parseJson, type Schema } from '../../protocol/invalid.ts';
import type { ApiContext } from './dependencies.ts';
import { badRequest, ProblemError } from './problems.ts';

/** The largest body that is read, in bytes, where a call does not say otherwise: many times what its fields can fill. */
export const MAXIMUM_BODY_BYTES = 65_536;

/**
 * The body of a request, by its schema.
 * @throws ProblemError `unsupported-media-type`, `too-large`, `bad-request` with every field that is wrong.
 */
export async function readBody<Value>(
  context: ApiContext,
  schema: Schema<Value>,
  maximumBytes = MAXIMUM_BODY_BYTES,
): Promise<Value> {
  const text = await readJsonText(context, maximumBytes);
  return orBadRequest(() => parse('the body', schema, parseJson('the body', text)));
}

/** Runs a parser; what it refuses is the caller's mistake. @throws ProblemError `bad-request`. */
export function orBadRequest<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (error instanceof InvalidError) throw badRequest(error);
    throw error;
  }
}

async function readJsonText(context: ApiContext, maximumBytes: number): Promise<string> {
  const contentType = context.req.header('content-type') ?? '';
  if (!/^application\/json *(;|$)/i.test(contentType)) {
    throw new ProblemError('unsupported-media-type', {
      detail: 'Send JSON with Content-Type: application/json',
    });
  }
  const body = await context.req.arrayBuffer();
  if (body.byteLength > maximumBytes) {
    throw new ProblemError('too-large', {
      detail: `The body takes ${body.byteLength} bytes; at most ${maximumBytes} are read`,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ProblemError('bad-request', { detail: 'The body is not UTF-8' }, { cause });
  }
}
