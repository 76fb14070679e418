import { type CreateJob, CreateJobSchema, IdempotencyKeySchema } from '../../protocol/http.ts';
import { InvalidError, parse } from '../../protocol/invalid.ts';
import { isKind, KINDS } from '../../protocol/kinds.ts';
import {
  MAXIMUM_MULTIPART_UPLOAD_BYTES,
  MAXIMUM_SINGLE_UPLOAD_BYTES,
  MULTIPART_ABOVE_BYTES,
} from '../../protocol/upload.ts';
import type { JobRecord } from '../ports.ts';
import type { ApiContext } from './dependencies.ts';
import { ProblemError } from './problems.ts';
import { orBadRequest, readBody } from './request-body.ts';

/** What a caller asks for, with the way of the upload decided. */
export type DecidedJob = CreateJob & { readonly upload: JobRecord['upload'] };

/** What `POST /jobs` asks for. */
export interface JobRequest {
  readonly request: DecidedJob;
  readonly idempotencyKey?: string;
}

/**
 * Reads and checks everything that a caller says in `POST /jobs`, before anything is written.
 * @throws ProblemError `unsupported-media-type`, `too-large`, `bad-request`.
 */
export async function readJobRequest(context: ApiContext): Promise<JobRequest> {
  const asked = await readBody(context, CreateJobSchema);
  const upload = asked.upload ?? (asked.size > MULTIPART_ABOVE_BYTES ? 'multipart' : 'put');
  const request: DecidedJob = { ...asked, upload };
  return orBadRequest(() => {
    refuseWhatIsNotOffered(request);
    const key = context.req.header('idempotency-key');
    if (key === undefined) return { request };
    return { request, idempotencyKey: parse('Idempotency-Key', IdempotencyKeySchema, key) };
  });
}

function refuseWhatIsNotOffered({ kind, size, upload, crc32 }: DecidedJob): void {
  if (!isKind(kind)) {
    const message = `is not on offer here; one of: ${KINDS.join(', ')}`;
    throw new InvalidError('the body', [{ path: 'kind', message }]);
  }
  if (upload === 'multipart' && crc32 !== undefined) {
    const message = 'is verified for an upload by put or post alone; this one goes in parts';
    throw new InvalidError('the body', [{ path: 'crc32', message }]);
  }
  const most = upload === 'multipart' ? MAXIMUM_MULTIPART_UPLOAD_BYTES : MAXIMUM_SINGLE_UPLOAD_BYTES;
  if (size > most) {
    const detail = `size is ${size} bytes; an upload by ${upload} has at most ${most}`;
    throw new ProblemError('too-large', { detail });
  }
}
