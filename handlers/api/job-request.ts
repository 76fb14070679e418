import {
  type CreateJob,
  CreateJobSchema,
  IdempotencyKeySchema,
  MAXIMUM_SINGLE_UPLOAD_BYTES,
} from '../../protocol/http.ts';
import { InvalidError, parse, parseJson } from '../../protocol/invalid.ts';
import { isKind, KINDS } from '../../protocol/kinds.ts';
import type { ApiContext } from './dependencies.ts';
import { badRequest, ProblemError } from './problems.ts';

/** The largest body that `POST /jobs` reads, in bytes: many times what the contract's fields can fill. */
export const MAXIMUM_BODY_BYTES = 65_536;

/** What `POST /jobs` asks for. */
export interface JobRequest {
  readonly request: CreateJob;
  readonly idempotencyKey?: string;
}

/**
 * Reads and checks everything that a caller says in `POST /jobs`, before anything is written.
 * @throws ProblemError `unsupported-media-type`, `too-large`, `bad-request`.
 */
export async function readJobRequest(context: ApiContext): Promise<JobRequest> {
  const text = await readJsonText(context);
  try {
    const request = parse('the body', CreateJobSchema, parseJson('the body', text));
    refuseWhatIsNotOffered(request);
    const key = context.req.header('idempotency-key');
    if (key === undefined) return { request };
    return { request, idempotencyKey: parse('Idempotency-Key', IdempotencyKeySchema, key) };
  } catch (error) {
    if (error instanceof InvalidError) throw badRequest(error);
    throw error;
  }
}

async function readJsonText(context: ApiContext): Promise<string> {
  const contentType = context.req.header('content-type') ?? '';
  if (!/^application\/json *(;|$)/i.test(contentType)) {
    throw new ProblemError('unsupported-media-type', {
      detail: 'Send JSON with Content-Type: application/json',
    });
  }
  const body = await context.req.arrayBuffer();
  if (body.byteLength > MAXIMUM_BODY_BYTES) {
    throw new ProblemError('too-large', {
      detail: `The body takes ${body.byteLength} bytes; at most ${MAXIMUM_BODY_BYTES} are read`,
    });
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(body);
  } catch (cause) {
    throw new ProblemError('bad-request', { detail: 'The body is not UTF-8' }, { cause });
  }
}

function refuseWhatIsNotOffered({ kind, size, upload }: CreateJob): void {
  if (!isKind(kind)) {
    const message = `is not on offer here; one of: ${KINDS.join(', ')}`;
    throw new InvalidError('the body', [{ path: 'kind', message }]);
  }
  if (upload === 'multipart') {
    const message = 'multipart is not offered by this installation yet; use put or post';
    throw new InvalidError('the body', [{ path: 'upload', message }]);
  }
  if (size > MAXIMUM_SINGLE_UPLOAD_BYTES) {
    throw new ProblemError('too-large', {
      detail: `size is ${size} bytes; a single upload has at most ${MAXIMUM_SINGLE_UPLOAD_BYTES}`,
    });
  }
}
