import * as v from 'valibot';
import { RefusedError, UnavailableError } from '../errors.ts';

/** What the SDK and Node's sockets say of a failure. Read by shape: bundles hold several copies of a class. */
const ServiceErrorSchema = v.object({
  name: v.optional(v.string()),
  message: v.optional(v.string()),
  code: v.optional(v.unknown()),
  $metadata: v.optional(v.object({ httpStatusCode: v.optional(v.number()) })),
});

/** The names by which AWS services say "too much" with a 4xx status. */
const THROTTLING_ERRORS: ReadonlySet<string> = new Set([
  'LimitExceededException',
  'ProvisionedThroughputExceededException',
  'RequestLimitExceeded',
  'RequestThrottled',
  'SlowDown',
  'Throttling',
  'ThrottlingException',
  'TooManyRequestsException',
]);

/** The other names by which AWS services say "not now" with a 4xx status. */
const PASSING_ERRORS: ReadonlySet<string> = new Set([
  'PriorRequestNotComplete',
  'ReplicatedWriteConflictException',
  'RequestTimeout',
  'RequestTimeoutException',
  'TimeoutError',
  'TransactionConflictException',
]);

/** The codes by which Node and undici say that a connection failed ("Common system errors", dns; undici, "Errors"). */
const CONNECTION_ERRORS: ReadonlySet<unknown> = new Set([
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_PREMATURE_CLOSE',
  'ETIMEDOUT',
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
  'UND_ERR_SOCKET',
]);

/** The name of an SDK error, which is the service's error code; empty where it has none. */
export function nameOf(error: unknown): string {
  return read(error).name ?? '';
}

/** The HTTP status that the service answered with; undefined where no answer came. */
export function httpStatusOf(error: unknown): number | undefined {
  return read(error).$metadata?.httpStatusCode;
}

/**
 * What any service's failure means: a time-out, a broken connection, 429, 5xx and throttling are
 * UnavailableError; whatever else is RefusedError, because asking again would not help.
 */
export function translateServiceError(service: string, error: unknown): UnavailableError | RefusedError {
  const { name, message, code, $metadata } = read(error);
  const status = $metadata?.httpStatusCode ?? 0;
  const throttled = status === 429 || THROTTLING_ERRORS.has(name ?? '');
  const passes = throttled || status >= 500 || PASSING_ERRORS.has(name ?? '') || CONNECTION_ERRORS.has(code);
  if (passes) return new UnavailableError(service, { cause: error, throttled });
  return new RefusedError(service, `${name ?? 'Error'}: ${message ?? ''}`, { cause: error });
}

function read(error: unknown): v.InferOutput<typeof ServiceErrorSchema> {
  const parsed = v.safeParse(ServiceErrorSchema, error);
  return parsed.success ? parsed.output : {};
}
