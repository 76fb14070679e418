import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { FrameBodies } from '../../../handlers/aws/frame-bodies.ts';
import { PostSigner, type SignedPost } from '../../../handlers/aws/post-signature.ts';
import { MissingVariableError } from '../../../handlers/errors.ts';

interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/** The checksums of the SDK's interface, by Node. */
class Sha256 {
  readonly #digest: Pick<ReturnType<typeof createHmac>, 'update' | 'digest'>;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#digest = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret));
  }
  update(data: Uint8Array): void {
    this.#digest.update(data);
  }
  async digest(): Promise<Uint8Array> {
    return this.#digest.digest();
  }
  reset(): void {
    throw new Error('The signer does not reset');
  }
}

function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): string | Uint8Array {
  if (typeof secret === 'string') return secret;
  return ArrayBuffer.isView(secret)
    ? new Uint8Array(secret.buffer, secret.byteOffset, secret.byteLength)
    : new Uint8Array(secret);
}

/** What the SDK's signer makes of the same post. */
async function reference(
  endpoint: URL,
  connection: string,
  frame: string,
  credentials: Credentials,
  region: string,
  at: number,
): Promise<Record<string, string>> {
  const signer = new SignatureV4({ credentials, region, service: 'execute-api', sha256: Sha256 });
  const path = `${endpoint.pathname}/@connections/${encode(connection)}`;
  const request = {
    method: 'POST',
    protocol: 'https:',
    hostname: endpoint.hostname,
    path,
    query: {},
    headers: { host: endpoint.host, 'content-type': 'application/octet-stream' },
    body: frame,
  };
  return (await signer.sign(request, { signingDate: new Date(at) })).headers;
}

/** As the SDK puts an id into a path (`extendedEncodeURIComponent` of @smithy/core). */
function encode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

function headersOf({ headers }: SignedPost): Record<string, string> {
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[name, headers[index + 1] ?? '']] : []));
  return Object.fromEntries(pairs);
}

function enforce(credentials: Credentials, region: string): void {
  vi.stubEnv('AWS_ACCESS_KEY_ID', credentials.accessKeyId);
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', credentials.secretAccessKey);
  vi.stubEnv('AWS_SESSION_TOKEN', credentials.sessionToken);
  vi.stubEnv('AWS_REGION', region);
}

const BASE64 = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/='];
const base64 = (minLength: number, maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...BASE64), minLength, maxLength });

/** As API Gateway gives them, and any other text; but for what a path is normalized by. */
const connections = fc.oneof(
  base64(15, 17),
  fc.string({ unit: 'binary', minLength: 1, maxLength: 20 }).filter((id) => !['.', '..'].includes(id)),
);
const stages = fc.oneof(
  fc.string({ unit: fc.constantFrom(...'abcXYZ019_-'), minLength: 1, maxLength: 12 }),
  fc.constantFrom('', 'base/path', 'über', "it's (a) *stage*!", '%7E'),
);
const hosts = fc.oneof(
  fc.constantFrom('abc123.execute-api.eu-central-1.amazonaws.com', 'status.example.com'),
  fc.integer({ min: 1, max: 65_535 }).map((port) => `127.0.0.1:${port}`),
);
const credentialsOfAnyKind = fc.record(
  {
    accessKeyId: base64(16, 20).map((id) => id.replaceAll('/', 'A')),
    secretAccessKey: base64(40, 40),
    sessionToken: base64(1, 300),
  },
  { requiredKeys: ['accessKeyId', 'secretAccessKey'] },
);
const regions = fc.constantFrom('us-east-1', 'eu-central-1', 'cn-north-1', 'us-gov-west-1');
const DAY = 86_400_000;
/** Any time of the coming century, the seconds around midnight, and around the ends of February. */
const times = fc.oneof(
  fc.integer({ min: 0, max: 100 * 366 * DAY }).map((since) => Date.UTC(2020, 0, 1) + since),
  fc
    .tuple(fc.integer({ min: 0, max: 36_600 }), fc.integer({ min: -2_000, max: 2_000 }))
    .map(([day, offset]) => Date.UTC(2020, 0, 1) + day * DAY + offset),
  fc
    .tuple(fc.constantFrom(2023, 2024, 2028, 2100), fc.constantFrom(28, 29), fc.integer({ min: 0, max: DAY }))
    .map(([year, day, since]) => Date.UTC(year, 1, day) + since),
);

const KEY = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' };
const ENDPOINT = new URL('https://abc123.execute-api.us-east-1.amazonaws.com/live');

describe('PostSigner', () => {
  beforeEach(() => enforce(KEY, 'us-east-1'));
  afterAll(() => {
    vi.unstubAllEnvs();
  });

  it("signs 10,000 random posts as the SDK's signer does", { timeout: 60_000 }, async () => {
    const signers = new Map<string, PostSigner>();
    const bodies = new FrameBodies();
    let compared = 0;
    await fc.assert(
      fc.asyncProperty(
        hosts,
        stages,
        connections,
        fc.string({ unit: 'binary', maxLength: 60 }),
        credentialsOfAnyKind,
        regions,
        times,
        async (host, stage, connection, frame, credentials, region, at) => {
          const endpoint = new URL(`https://${host}/${stage}`.replace(/\/$/, ''));
          if (stage === '') endpoint.pathname = '';
          enforce(credentials, region);
          // One signer an endpoint, so that keys and times of earlier posts are in its memory.
          const signer = signers.get(endpoint.href) ?? new PostSigner(endpoint);
          signers.set(endpoint.href, signer);
          const signed = signer.sign(connection, bodies.of(frame).hash, at);
          const { host: signedHost, ...expected } = await reference(
            endpoint,
            connection,
            frame,
            credentials,
            region,
            at,
          );
          compared += 1;
          // Cheaper than the assertions of vitest, ten thousand times.
          const found = headersOf(signed);
          if (signedHost !== endpoint.host || !isSame(found, expected)) expect(found).toEqual(expected);
        },
      ),
      { numRuns: 10_000 },
    );
    expect(compared).toBe(10_000);
  });

  it('signs with new credentials at once', async () => {
    const signer = new PostSigner(ENDPOINT);
    const at = Date.UTC(2026, 0, 1);
    const body = new FrameBodies().of('{}');
    signer.sign('abc=', body.hash, at);
    const refreshed = { accessKeyId: 'ASIAOTHER', secretAccessKey: 'other', sessionToken: 'token' };
    enforce(refreshed, 'us-east-1');
    const signed = headersOf(signer.sign('abc=', body.hash, at));
    const expected = await reference(ENDPOINT, 'abc=', '{}', refreshed, 'us-east-1', at);
    expect(signed['authorization']).toBe(expected['authorization']);
    expect(signed['x-amz-security-token']).toBe('token');
  });

  it('encodes the id in the path once', () => {
    const signed = new PostSigner(ENDPOINT).sign('L0SM9cOFvHcCIhw=', 'hash', 0);
    expect(signed.path).toBe('/live/@connections/L0SM9cOFvHcCIhw%3D');
  });

  it.each(['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION'])(
    'does not start without %s',
    (variable) => {
      vi.stubEnv(variable, '');
      expect(() => new PostSigner(ENDPOINT)).toThrow(MissingVariableError);
      expect(() => new PostSigner(ENDPOINT)).toThrow(variable);
    },
  );
});

describe('FrameBodies', () => {
  it('forgets the oldest frame, and remembers the others', () => {
    const bodies = new FrameBodies();
    const first = bodies.of('frame 0');
    const second = bodies.of('frame 1');
    for (let index = 2; index <= 100; index += 1) bodies.of(`frame ${index}`);
    expect(bodies.of('frame 1')).toBe(second);
    expect(bodies.of('frame 0')).not.toBe(first);
    expect(bodies.of('frame 0')).toEqual(first);
  });
});

function isSame(one: Record<string, string>, other: Record<string, string>): boolean {
  const names = Object.keys(other);
  return names.length === Object.keys(one).length && names.every((name) => one[name] === other[name]);
}
