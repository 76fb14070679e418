import { createHmac, createSecretKey, hash, type KeyObject, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal, Principals } from './principal.ts';

/** A request as it came over the wire, for checking its AWS Signature Version 4. */
export interface SignedRequest {
  readonly method: string;
  /** Path and query as sent, not decoded. */
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  /** The whole body where the service has it in memory: then it must have the hash that was signed. */
  readonly body?: Buffer;
}

/** How a service departs from the general rules of SigV4, and what time it is. */
export interface SignatureRules {
  /** S3 encodes the path once and lets queries sign; every other service encodes the path twice. */
  readonly service: 's3' | 'other';
  /** Milliseconds since the epoch. */
  readonly now: number;
}

/** Why a request is not believed to come from a principal. */
export type SignatureRefusal =
  | 'missing'
  | 'malformed'
  | 'unknown-access-key'
  | 'signature-mismatch'
  | 'skewed'
  | 'expired'
  | 'unsigned-headers';

/** Who signed a request, or why nobody did. */
export type Authentication =
  | { readonly kind: 'authenticated'; readonly principal: Principal; readonly presigned: boolean }
  | { readonly kind: 'refused'; readonly refusal: SignatureRefusal };

interface Credential {
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
}

interface Claim {
  readonly credential: Credential;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  readonly timestamp: string;
  readonly payloadHash: string | undefined;
  readonly presigned: boolean;
  /** Seconds that a presigned URL lives. */
  readonly expires: number;
}

/** Seconds that a presigned URL may live at most: seven days (S3UG:using-presigned-url; aws-facts 4). */
const MAXIMUM_EXPIRES_SECONDS = 604_800;

/** Milliseconds that the clock of a signer may be off (S3 error RequestTimeTooSkewed: 15 minutes). */
const MAXIMUM_SKEW_MS = 15 * 60_000;

/**
 * Checks the SigV4 signature of a request, in its `Authorization` header or (S3) its query. A body that is
 * not given is for the service to check against `x-amz-content-sha256`, the hash that was signed.
 */
export function authenticate(
  request: SignedRequest,
  principals: Principals,
  rules: SignatureRules,
): Authentication {
  const [path = '/', search = ''] = splitOnce(request.url, '?');
  const query = parseQuery(search);
  if (query === undefined) return refused('malformed');
  const claim = readClaim(request, query, rules);
  if (typeof claim === 'string') return refused(claim);
  const principal = principals.find(claim.credential.accessKeyId);
  if (principal === undefined) return refused('unknown-access-key');
  const bodyHash = request.body && hash('sha256', request.body, 'hex');
  const signedHash = claim.payloadHash ?? bodyHash ?? SHA256_OF_NOTHING;
  if (bodyHash !== undefined && signedHash !== bodyHash) return refused('signature-mismatch');
  const canonicalPath = rules.service === 's3' ? encodedOnce(path) : encodedAgain(path);
  if (canonicalPath === undefined) return refused('malformed');
  const canonicalRequest = [
    request.method,
    canonicalPath,
    canonicalQuery(query.filter(([name]) => name !== 'X-Amz-Signature')),
    ...claim.signedHeaders.map((name) => `${name}:${canonicalValue(request.headers[name])}`),
    '',
    claim.signedHeaders.join(';'),
    signedHash,
  ].join('\n');
  const { date, region, service } = claim.credential;
  const stringToSign = [
    'AWS4-HMAC-SHA256',
    claim.timestamp,
    `${date}/${region}/${service}/aws4_request`,
    hash('sha256', canonicalRequest, 'hex'),
  ].join('\n');
  if (!isSignedBy(principal, claim.credential, stringToSign, claim.signature)) {
    return refused('signature-mismatch');
  }
  const signedAt = parseTimestamp(claim.timestamp);
  if (signedAt === undefined) return refused('malformed');
  if (claim.presigned) {
    if (rules.now > signedAt + claim.expires * 1000) return refused('expired');
    if (signedAt > rules.now + MAXIMUM_SKEW_MS) return refused('skewed');
  } else if (Math.abs(rules.now - signedAt) > MAXIMUM_SKEW_MS) return refused('skewed');
  // S3: every x-amz-* header must be signed, or a presigned URL could be given other meanings. The hash of
  // the payload is part of what was signed by itself.
  const unsigned = Object.keys(request.headers).some(
    (name) =>
      name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !claim.signedHeaders.includes(name),
  );
  if (rules.service === 's3' && unsigned) return refused('unsigned-headers');
  return { kind: 'authenticated', principal, presigned: claim.presigned };
}

/**
 * Checks a signature over a text with the signing key of a principal; this is all there is to a POST policy
 * (S3 API, sigv4-UsingHTTPPOST).
 */
export function isSignedBy(
  principal: Principal,
  scope: { readonly date: string; readonly region: string; readonly service: string },
  text: string,
  signature: string,
): boolean {
  const expected = hmac(signingKey(principal, scope), text);
  const given = Buffer.from(signature, 'hex');
  return given.length === expected.length && timingSafeEqual(given, expected);
}

/** By secret and scope: a key is good for a day, and five digests instead of one are what a check takes most of. */
const signingKeys = new Map<string, KeyObject>();

/** So many are kept; a key that somebody makes up is as welcome as any other until the signature is seen. */
const MAXIMUM_SIGNING_KEYS = 100;

function signingKey(
  { secretAccessKey }: Principal,
  { date, region, service }: { readonly date: string; readonly region: string; readonly service: string },
): KeyObject {
  const name = [secretAccessKey, date, region, service].join('/');
  const known = signingKeys.get(name);
  if (known !== undefined) return known;
  const derived = [date, region, service, 'aws4_request'].reduce<KeyObject>(
    (key, part) => createSecretKey(hmac(key, part)),
    createSecretKey(`AWS4${secretAccessKey}`, 'utf8'),
  );
  if (signingKeys.size >= MAXIMUM_SIGNING_KEYS) signingKeys.clear();
  signingKeys.set(name, derived);
  return derived;
}

function hmac(key: KeyObject, data: string): Buffer {
  return createHmac('sha256', key).update(data).digest();
}

/** Reads `<access key id>/<date>/<region>/<service>/aws4_request`; undefined if it is none. */
export function parseCredential(text: string): Credential | undefined {
  const match = /^([^/]+)\/(\d{8})\/([^/]+)\/([^/]+)\/aws4_request$/.exec(text);
  if (match === null) return undefined;
  const [, accessKeyId = '', date = '', region = '', service = ''] = match;
  return { accessKeyId, date, region, service };
}

function readClaim(
  request: SignedRequest,
  query: readonly (readonly [string, string])[],
  rules: SignatureRules,
): Claim | SignatureRefusal {
  const authorization = request.headers.authorization;
  const header = (name: string): string => canonicalValue(request.headers[name]);
  if (authorization !== undefined) {
    const match =
      /^AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *Signature=([0-9a-f]+)$/.exec(
        authorization,
      );
    const credential = parseCredential(match?.[1] ?? '');
    if (match === null || credential === undefined) return 'malformed';
    return {
      credential,
      signedHeaders: (match[2] ?? '').split(';'),
      signature: match[3] ?? '',
      timestamp: header('x-amz-date'),
      payloadHash: header('x-amz-content-sha256') || undefined,
      presigned: false,
      expires: 0,
    };
  }
  const parameters = new Map(query);
  const algorithm = parameters.get('X-Amz-Algorithm');
  if (rules.service !== 's3' || algorithm === undefined) return 'missing';
  const credential = parseCredential(parameters.get('X-Amz-Credential') ?? '');
  const expires = Number(parameters.get('X-Amz-Expires') ?? Number.NaN);
  if (algorithm !== 'AWS4-HMAC-SHA256' || credential === undefined) return 'malformed';
  if (!Number.isInteger(expires) || expires < 1 || expires > MAXIMUM_EXPIRES_SECONDS) return 'malformed';
  return {
    credential,
    signedHeaders: (parameters.get('X-Amz-SignedHeaders') ?? '').split(';'),
    signature: parameters.get('X-Amz-Signature') ?? '',
    timestamp: parameters.get('X-Amz-Date') ?? '',
    payloadHash:
      parameters.get('X-Amz-Content-Sha256') ?? (header('x-amz-content-sha256') || 'UNSIGNED-PAYLOAD'),
    presigned: true,
    expires,
  };
}

const SHA256_OF_NOTHING = hash('sha256', '', 'hex');

function refused(refusal: SignatureRefusal): Authentication {
  return { kind: 'refused', refusal };
}

function splitOnce(text: string, separator: string): readonly string[] {
  const index = text.indexOf(separator);
  return index < 0 ? [text] : [text.slice(0, index), text.slice(index + 1)];
}

function parseQuery(search: string): readonly (readonly [string, string])[] | undefined {
  try {
    return search
      .split('&')
      .filter((pair) => pair !== '')
      .map((pair) => {
        const [name = '', value = ''] = splitOnce(pair, '=');
        return [decodeURIComponent(name), decodeURIComponent(value)] as const;
      });
  } catch {
    // A stray "%" is the caller's mistake, and all that is to be said about it is "malformed".
    return undefined;
  }
}

function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return query
    .map(([name, value]) => `${encodeRfc3986(name)}=${encodeRfc3986(value)}`)
    .sort()
    .join('&');
}

function encodedOnce(path: string): string | undefined {
  try {
    return path
      .split('/')
      .map((segment) => encodeRfc3986(decodeURIComponent(segment)))
      .join('/');
  } catch {
    return undefined;
  }
}

function encodedAgain(path: string): string {
  return path.split('/').map(encodeRfc3986).join('/');
}

function canonicalValue(value: string | readonly string[] | undefined): string {
  if (value === undefined) return '';
  return (typeof value === 'string' ? value : value.join(',')).trim().replace(/ +/g, ' ');
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 asks. */
export function encodeRfc3986(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** Milliseconds since the epoch of `yyyyMMdd'T'HHmmss'Z'`; undefined if it is none. */
export function parseTimestamp(text: string): number | undefined {
  const match = /^(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z$/.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}
