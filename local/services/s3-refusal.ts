import type { IncomingMessage, ServerResponse } from 'node:http';
import type { SignatureRefusal } from '../permissions/signature.ts';

/** Errors of S3 that we answer ourselves, with their status (S3 API, ErrorResponses). */
const STATUSES = {
  AccessDenied: 403,
  AccessForbidden: 403,
  AuthorizationQueryParametersError: 400,
  BadDigest: 400,
  BadRequest: 400,
  EntityTooLarge: 400,
  EntityTooSmall: 400,
  IncompleteBody: 400,
  IncorrectNumberOfFilesInPostRequest: 400,
  InternalError: 500,
  InvalidAccessKeyId: 403,
  InvalidArgument: 400,
  InvalidDigest: 400,
  InvalidPart: 400,
  InvalidPartOrder: 400,
  InvalidPolicyDocument: 400,
  InvalidRequest: 400,
  InvalidURI: 400,
  KeyTooLongError: 400,
  MalformedPOSTRequest: 400,
  MaxPostPreDataLengthExceededError: 400,
  MissingContentLength: 411,
  NoSuchBucket: 404,
  NoSuchKey: 404,
  NoSuchUpload: 404,
  NotImplemented: 501,
  PreconditionFailed: 412,
  RequestTimeTooSkewed: 403,
  SignatureDoesNotMatch: 403,
  XAmzContentSHA256Mismatch: 400,
} as const;

/** The code of such an error. */
export type S3ErrorCode = keyof typeof STATUSES;

/** S3 refuses a request. `detail` becomes elements of the answer's XML. */
export class S3Refusal extends Error {
  override readonly name = 'S3Refusal';
  readonly code: S3ErrorCode;
  readonly detail: Readonly<Record<string, string | number>>;

  constructor(
    code: S3ErrorCode,
    message: string,
    detail: Readonly<Record<string, string | number>> = {},
    options?: ErrorOptions,
  ) {
    super(message, options);
    this.code = code;
    this.detail = detail;
  }

  get status(): number {
    return STATUSES[this.code];
  }
}

/**
 * Answers with an error. The rest of the request is read and thrown away: a browser that is still sending
 * would otherwise report a broken connection instead of the answer.
 */
export function sendRefusal(request: IncomingMessage, response: ServerResponse, refusal: S3Refusal): void {
  request.unpipe();
  request.resume();
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const elements = { Code: refusal.code, Message: refusal.message, ...refusal.detail };
  const xml = `<?xml version="1.0" encoding="UTF-8"?>\n<Error>${xmlOf(elements)}</Error>`;
  response.writeHead(refusal.status, {
    'Content-Type': 'application/xml',
    'Content-Length': Buffer.byteLength(xml),
  });
  response.end(request.method === 'HEAD' ? undefined : xml);
}

/** Elements with text in them. */
export function xmlOf(elements: Readonly<Record<string, string | number>>): string {
  return Object.entries(elements)
    .map(([name, text]) => `<${name}>${escapeXml(String(text))}</${name}>`)
    .join('');
}

function escapeXml(text: string): string {
  return text.replace(/[<>&"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** The error with which S3 answers a request that nobody has signed as they should. */
export function authenticationRefusal(refusal: SignatureRefusal): S3Refusal {
  switch (refusal) {
    case 'missing':
      return new S3Refusal('AccessDenied', 'Access Denied');
    case 'malformed':
      return new S3Refusal(
        'AuthorizationQueryParametersError',
        'The Authorization header or the query is not one of AWS Signature Version 4.',
      );
    case 'unknown-access-key':
      return new S3Refusal(
        'InvalidAccessKeyId',
        'The AWS Access Key Id you provided does not exist in our records.',
      );
    case 'signature-mismatch':
      return new S3Refusal(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
      );
    case 'expired':
      return new S3Refusal('AccessDenied', 'Request has expired');
    case 'skewed':
      return new S3Refusal(
        'RequestTimeTooSkewed',
        'The difference between the request time and the current time is too large.',
      );
    case 'unsigned-headers':
      return new S3Refusal('AccessDenied', 'There were headers present in the request which were not signed');
  }
}
