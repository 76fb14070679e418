/**
 * The closed table of errors, for both the socket and the HTTP API. A peer may rely on the code; titles are
 * for people. `retryable` says whether the same request may succeed later without being changed.
 */

/** What the table says of one code. `status` is the HTTP status of the problem with that code. */
export interface ErrorCodeEntry {
  readonly title: string;
  readonly retryable: boolean;
  readonly status: number;
}

/** The codes of an `error` frame: closed by the wire contract. */
export const FRAME_ERRORS = {
  'bad-frame': { title: 'The frame is not a frame of this protocol', retryable: false, status: 400 },
  'unknown-type': { title: 'The type of the frame is unknown', retryable: false, status: 400 },
  'not-found': { title: 'There is no such thing', retryable: false, status: 404 },
  forbidden: { title: 'This is not yours to see or change', retryable: false, status: 403 },
  'too-many-subscriptions': {
    title: 'The connection watches too much already',
    retryable: false,
    status: 429,
  },
  'rate-limited': { title: 'Too many requests; try again later', retryable: true, status: 429 },
  'too-large': { title: 'The content is too large', retryable: false, status: 413 },
  conflict: { title: 'The state of the job does not allow this', retryable: false, status: 409 },
  internal: { title: 'Something went wrong on our side', retryable: true, status: 500 },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/**
 * The codes of an HTTP problem: those of the frames, and three that a socket never needs because its opening
 * handshake has decided them.
 */
export const PROBLEMS = {
  ...FRAME_ERRORS,
  'bad-request': { title: 'The request is not valid', retryable: false, status: 400 },
  unauthorized: { title: 'A valid token is needed', retryable: false, status: 401 },
  'unsupported-media-type': { title: 'The body must be JSON', retryable: false, status: 415 },
} as const satisfies Readonly<Record<string, ErrorCodeEntry>>;

/** The code of an `error` frame. */
export type FrameErrorCode = keyof typeof FRAME_ERRORS;

/** The code of an HTTP problem. */
export type ProblemCode = keyof typeof PROBLEMS;
