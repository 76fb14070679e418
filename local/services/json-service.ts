import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Clock } from '../clock.ts';
import type { Principal, Principals } from '../permissions/principal.ts';
import { authenticate, type SignatureRefusal } from '../permissions/signature.ts';

/** A call of a service that speaks AWS JSON 1.0 or 1.1 (DynamoDB, SQS, Secrets Manager). */
export interface JsonCall {
  readonly principal: Principal;
  /** The part of `X-Amz-Target` after the dot, such as `PutItem`. */
  readonly operation: string;
  readonly bytes: Buffer;
  readonly body: Readonly<Record<string, unknown>>;
}

/** An answer of such a service that is an error; SDK v3 names it from `__type`. */
export interface JsonRefusal {
  readonly statusCode: number;
  readonly type: string;
  readonly message: string;
}

/**
 * How a service says that it does not believe a request. DynamoDB and Secrets Manager answer 400, SQS 403
 * (their API references, "Common Errors").
 */
export interface AuthenticationStyle {
  readonly statusCode: 400 | 403;
  readonly unknownAccessKey: 'UnrecognizedClientException' | 'InvalidClientTokenId';
}

/** Bytes of a request; more is refused with 413. DynamoDB's own limit is 16 MB (BatchWriteItem). */
const MAXIMUM_BODY_BYTES = 16 * 1024 * 1024;

/**
 * Checks who sent what, once the body has been read.
 */
export function readJsonCall(
  request: IncomingMessage,
  bytes: Buffer,
  principals: Principals,
  clock: Clock,
  style: AuthenticationStyle,
): JsonCall | JsonRefusal {
  const caller = authenticate(
    { method: request.method ?? '', url: request.url ?? '/', headers: request.headers, body: bytes },
    principals,
    { service: 'other', now: clock.now() },
  );
  if (caller.kind === 'refused') return authenticationRefusal(caller.refusal, style);
  const target = request.headers['x-amz-target'];
  const operation = typeof target === 'string' ? target.slice(target.indexOf('.') + 1) : '';
  if (operation === '') {
    return { statusCode: 400, type: 'UnknownOperationException', message: 'X-Amz-Target is missing.' };
  }
  const body = parseObject(bytes);
  if (body === undefined) {
    return { statusCode: 400, type: 'SerializationException', message: 'The body is not a JSON object.' };
  }
  return { principal: caller.principal, operation, bytes, body };
}

/** The error with which a service answers a request that nobody has signed as they should. */
export function authenticationRefusal(refusal: SignatureRefusal, style: AuthenticationStyle): JsonRefusal {
  const { statusCode } = style;
  switch (refusal) {
    case 'missing':
      return {
        statusCode,
        type: 'MissingAuthenticationTokenException',
        message: 'Missing Authentication Token',
      };
    case 'malformed':
      return {
        statusCode,
        type: 'IncompleteSignatureException',
        message: 'The Authorization header is not one of AWS Signature Version 4.',
      };
    case 'unknown-access-key':
      return {
        statusCode,
        type: style.unknownAccessKey,
        message: 'The security token included in the request is invalid.',
      };
    case 'skewed':
    case 'expired':
      return { statusCode, type: 'InvalidSignatureException', message: 'Signature expired' };
    case 'signature-mismatch':
    case 'unsigned-headers':
      return {
        statusCode,
        type: 'InvalidSignatureException',
        message:
          'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method.',
      };
  }
}

/** Reads a body; undefined if it is too large (the caller has been told) or the client went away. */
export async function readBytes(
  request: IncomingMessage,
  response: ServerResponse,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request) {
      // A request without an encoding set yields Buffers.
      const bytes = chunk as Buffer;
      size += bytes.length;
      if (size > MAXIMUM_BODY_BYTES) {
        refuseJson(response, {
          statusCode: 413,
          type: 'RequestEntityTooLargeException',
          message: 'Request body too large',
        });
        return undefined;
      }
      chunks.push(bytes);
    }
  } catch {
    // The client went away in the middle: there is nobody to answer.
    return undefined;
  }
  return Buffer.concat(chunks);
}

/** Sends an error of a JSON service. */
export function refuseJson(response: ServerResponse, refusal: JsonRefusal): void {
  const body = JSON.stringify({ __type: refusal.type, message: refusal.message });
  response
    .writeHead(refusal.statusCode, {
      'Content-Type': 'application/x-amz-json-1.0',
      'Content-Length': Buffer.byteLength(body),
    })
    .end(body);
}

/** Tells a refusal from a call. */
export function isRefusal(value: JsonCall | JsonRefusal): value is JsonRefusal {
  return 'statusCode' in value;
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parseObject(bytes: Buffer): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return isRecord(value) ? value : undefined;
  } catch {
    // Not JSON, which the caller is told as SerializationException.
    return undefined;
  }
}
