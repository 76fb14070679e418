import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { base64url, decodeProtectedHeader, UnsecuredJWT } from 'jose';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SecretTokens } from '../../handlers/aws/secret-tokens.ts';
import { MemoryTokens } from '../../handlers/memory/memory-tokens.ts';
import { type SecretsServer, startSecretsServer } from './secrets-server.ts';
import { describeTokens, testClock } from './tokens-suite.ts';

const SECRET = 'correct horse battery staple'.repeat(2);
const secretArn = 'arn:aws:secretsmanager:us-east-1:000000000000:secret:signing-abcdef';
const SCOPE = { kind: 'owner', subject: 'ada' } as const;

let server: SecretsServer;
let client: SecretsManagerClient;
beforeAll(async () => {
  server = await startSecretsServer(SECRET);
  client = new SecretsManagerClient({
    endpoint: server.endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
    maxAttempts: 1,
  });
});
beforeEach(() => {
  server.failing = undefined;
  server.versions.AWSCURRENT = SECRET;
  delete server.versions.AWSPREVIOUS;
  server.readings = 0;
});
afterAll(async () => {
  client.destroy();
  await server.close();
});

describeTokens('memory', async () => {
  const clock = testClock();
  return { tokens: new MemoryTokens(clock), ...clock };
});
describeTokens('a secret of Secrets Manager', async () => {
  const clock = testClock();
  return { tokens: new SecretTokens({ client, secretArn, now: clock.now }), ...clock };
});

describe('keys', () => {
  const clock = testClock();
  const newTokens = () => new SecretTokens({ client, secretArn, now: clock.now });
  it('are read once for five minutes, however many ask at once', async () => {
    const tokens = newTokens();
    const issued = await Promise.all(Array.from({ length: 20 }, () => tokens.issueTicket(SCOPE)));
    await Promise.all(issued.map(({ ticket }) => tokens.verifyTicket(ticket)));
    expect(server.readings).toBe(1);
    clock.advance(299);
    await tokens.issueTicket(SCOPE);
    expect(server.readings).toBe(1);
    clock.advance(1);
    await tokens.issueTicket(SCOPE);
    expect(server.readings).toBe(2);
  });

  it('survive a rotation: the previous one verifies, the new one signs, a third is unknown', async () => {
    const old = newTokens();
    const { ticket: first } = await old.issueTicket(SCOPE);
    server.rotate('another secret, long enough to be one');
    const fresh = newTokens();
    expect(await fresh.verifyTicket(first)).toEqual(SCOPE);
    const { ticket: second } = await fresh.issueTicket(SCOPE);
    expect(decodeProtectedHeader(second).kid).not.toBe(decodeProtectedHeader(first).kid);
    // The function that has not noticed the rotation looks at once, but not more than every ten seconds.
    clock.advance(10);
    expect(await old.verifyTicket(second)).toEqual(SCOPE);
    server.rotate('a third secret, which is long enough too');
    const { ticket: third } = await newTokens().issueTicket(SCOPE);
    const readings = server.readings;
    await expect(old.verifyTicket(third)).rejects.toMatchObject({ reason: 'invalid' });
    expect(server.readings).toBe(readings);
    clock.advance(10);
    expect(await old.verifyTicket(third)).toEqual(SCOPE);
    await expect(old.verifyTicket(first)).rejects.toMatchObject({ reason: 'invalid' });
  });

  it('are kept while Secrets Manager is away, and asked for again later', async () => {
    const tokens = newTokens();
    const { ticket } = await tokens.issueTicket(SCOPE);
    server.failing = 500;
    await expect(newTokens().verifyTicket(ticket)).rejects.toMatchObject({ name: 'UnavailableError' });
    clock.advance(301);
    const { ticket: later } = await tokens.issueTicket(SCOPE);
    const readings = server.readings;
    expect(await tokens.verifyTicket(later)).toEqual(SCOPE);
    expect(server.readings).toBe(readings);
    server.failing = undefined;
    clock.advance(10);
    await tokens.verifyTicket(later);
    expect(server.readings).toBe(readings + 1);
  });

  it('are not made of a secret that is missing or too short', async () => {
    server.versions.AWSCURRENT = 'short';
    await expect(newTokens().issueTicket(SCOPE)).rejects.toMatchObject({ name: 'MalformedDataError' });
    delete server.versions.AWSCURRENT;
    await expect(newTokens().issueTicket(SCOPE)).rejects.toMatchObject({ name: 'RefusedError' });
  });
});

describe('forgeries', () => {
  const clock = testClock();

  it('without a signature, or with the header of another, are refused without a word of theirs', async () => {
    const tokens = new SecretTokens({ client, secretArn, now: clock.now });
    const { ticket } = await tokens.issueTicket(SCOPE);
    const [header = '', payload = '', signature = ''] = ticket.split('.');
    const readHeader = decodeProtectedHeader(ticket);
    const withHeader = (fields: object) =>
      `${base64url.encode(JSON.stringify({ ...readHeader, ...fields }))}.${payload}.${signature}`;
    const unsecured = new UnsecuredJWT({ kind: 'owner', sub: 'eve' }).setExpirationTime('1h').encode();
    const otherPayload = base64url.encode(JSON.stringify({ kind: 'owner', sub: 'eve', exp: 9_999_999_999 }));
    const forgeries = [
      unsecured,
      withHeader({ alg: 'none' }),
      withHeader({ alg: 'HS512' }),
      withHeader({ typ: 'job+jwt' }),
      withHeader({ kid: undefined }),
      withHeader({ kid: 'unknown' }),
      `${header}.${otherPayload}.${signature}`,
      `${header}.${payload}.`,
    ];
    for (const forgery of forgeries) {
      const error: unknown = await tokens.verifyTicket(forgery).catch((reason: unknown) => reason);
      expect(error).toMatchObject({ name: 'InvalidTokenError', reason: 'invalid' });
      expect(String(error)).not.toContain(forgery.slice(0, 20));
    }
    expect(await tokens.verifyTicket(ticket)).toEqual(SCOPE);
  });
});
