import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto';
import {
  type EnvironmentCredentials,
  readAccessKeyId,
  readEnvironmentCredentials,
} from './environment-credentials.ts';

/**
 * AWS Signature Version 4 for one shape of request alone: `POST <path>/@connections/<id>` with a body whose hash is
 * known. Everything that is the same for many posts is made once: the key once a day and credential, whatever holds
 * the time once a second; what is left for a post is one SHA-256, one HMAC and some concatenation, 5 µs where
 * the SDK's signer takes 80 (docs/decisions/0015-our-own-poster.md). Signatures are those of `@smithy/signature-v4`
 * (test/handlers/aws/post-signature.test.ts).
 */

/** The service that a WebSocket API's requests are signed for (API Gateway guide, "control access with IAM"). */
const SERVICE = 'execute-api';

/** What the SDK sends. It is signed, so a proxy that changed it would break the signature. */
const CONTENT_TYPE = 'application/octet-stream';

/** A signed request but for its body. `headers` in turn a name and its value, as undici takes them. */
export interface SignedPost {
  readonly path: string;
  readonly headers: string[];
}

/** What holds as long as the credentials and the day. */
interface Scope {
  readonly credentials: EnvironmentCredentials;
  /** `<day>/<region>/execute-api/aws4_request`. */
  readonly text: string;
  readonly key: KeyObject;
  /** The Authorization header up to the signature. */
  readonly authorization: string;
  readonly signedHeaders: string;
}

/** What holds for a second. */
interface Moment {
  /** Seconds since the epoch. */
  readonly second: number;
  readonly longDate: string;
  readonly scope: Scope;
  /** The canonical request between the two places where the hash of the body stands. */
  readonly canonicalMiddle: string;
  /** The string to sign before the hash of the canonical request. */
  readonly signedHead: string;
}

/** Signs posts to the connections of one API. */
export class PostSigner {
  readonly #path: string;
  readonly #canonicalHead: string;
  readonly #canonicalHeaders: string;
  #moment: Moment;

  /**
   * `endpoint` is the URL of @connections without `/@connections`: `https://<host>/<stage>`.
   * @throws MissingVariableError where there are no credentials, so that the function does not even start.
   */
  constructor(endpoint: URL) {
    const path = endpoint.pathname.split('/').filter(Boolean).concat('@connections', '').join('/');
    this.#path = `/${path}`;
    this.#canonicalHead = `POST\n/${path.split('/').map(encode).join('/')}`;
    this.#canonicalHeaders = `\n\ncontent-type:${CONTENT_TYPE}\nhost:${endpoint.host}\nx-amz-content-sha256:`;
    this.#moment = momentOf(secondOf(Date.now()), undefined);
  }

  /**
   * Signs one post. `bodyHash` is the SHA-256 of the body in hexadecimal; `now` in milliseconds since the epoch.
   * @throws MissingVariableError when the credentials are gone; URIError for an id that is not well-formed Unicode.
   */
  sign(connection: string, bodyHash: string, now: number): SignedPost {
    const moment = this.#momentAt(secondOf(now));
    const id = encode(connection);
    // The path of a canonical request is encoded once more than that of the URL, for every service but S3
    // (IAM guide, "Create a signed AWS API request"). Of what is encoded only `%` is left to be.
    const canonical = `${this.#canonicalHead}${id.replaceAll('%', '%25')}${this.#canonicalHeaders}${bodyHash}${moment.canonicalMiddle}${bodyHash}`;
    const { scope } = moment;
    const signature = createHmac('sha256', scope.key)
      .update(moment.signedHead + hash('sha256', canonical))
      .digest('hex');
    const headers = [
      'content-type',
      CONTENT_TYPE,
      'x-amz-content-sha256',
      bodyHash,
      'x-amz-date',
      moment.longDate,
      'authorization',
      scope.authorization + signature,
    ];
    const { sessionToken } = scope.credentials;
    if (sessionToken !== undefined) headers.push('x-amz-security-token', sessionToken);
    return { path: this.#path + id, headers };
  }

  #momentAt(second: number): Moment {
    const moment = this.#moment;
    // The credentials are looked at for every post, by the one variable that tells of a refresh.
    if (moment.second === second && moment.scope.credentials.accessKeyId === readAccessKeyId()) return moment;
    this.#moment = momentOf(second, moment.scope);
    return this.#moment;
  }
}

function secondOf(milliseconds: number): number {
  return Math.floor(milliseconds / 1000);
}

function momentOf(second: number, last: Scope | undefined): Moment {
  const longDate = new Date(second * 1000).toISOString().replace(/[-:]|\.000/g, '');
  const scope = scopeOf(longDate.slice(0, 8), readEnvironmentCredentials(), last);
  const { sessionToken } = scope.credentials;
  const token = sessionToken === undefined ? '' : `x-amz-security-token:${sessionToken}\n`;
  return {
    second,
    longDate,
    scope,
    canonicalMiddle: `\nx-amz-date:${longDate}\n${token}\n${scope.signedHeaders}\n`,
    signedHead: `AWS4-HMAC-SHA256\n${longDate}\n${scope.text}\n`,
  };
}

function scopeOf(day: string, credentials: EnvironmentCredentials, last: Scope | undefined): Scope {
  const { accessKeyId, secretAccessKey, sessionToken, region } = credentials;
  const text = `${day}/${region}/${SERVICE}/aws4_request`;
  if (
    last?.text === text &&
    last.credentials.accessKeyId === accessKeyId &&
    last.credentials.secretAccessKey === secretAccessKey &&
    last.credentials.sessionToken === sessionToken
  )
    return last;
  const token = sessionToken === undefined ? '' : ';x-amz-security-token';
  const signedHeaders = `content-type;host;x-amz-content-sha256;x-amz-date${token}`;
  const key = [day, region, SERVICE, 'aws4_request'].reduce<Buffer | string>(
    (signing, part) => createHmac('sha256', signing).update(part).digest(),
    `AWS4${secretAccessKey}`,
  );
  return {
    credentials,
    text,
    // As a KeyObject, because a Buffer would be made a key anew for every signature, which takes 10 µs.
    key: createSecretKey(typeof key === 'string' ? Buffer.from(key) : key),
    authorization: `AWS4-HMAC-SHA256 Credential=${accessKeyId}/${text}, SignedHeaders=${signedHeaders}, Signature=`,
    signedHeaders,
  };
}

/** Percent-encodes all but the unreserved characters of RFC 3986, as SigV4 asks. */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}
