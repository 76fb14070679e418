import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  GetSecretValueCommand,
  ListSecretsCommand,
  SecretsManagerClient,
} from '@aws-sdk/client-secrets-manager';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../local/clock.ts';
import { generateSecretString, SecretSettingsError } from '../../../local/services/generated-secret.ts';
import {
  type RunningSecretsManager,
  SecretsFileError,
  startSecretsManager,
} from '../../../local/services/secrets-manager.ts';
import { callingAs, functionAllowed, knowing, owner } from './caller.ts';

const signer = functionAllowed(
  'signer',
  ['secretsmanager:GetSecretValue'],
  ['arn:aws:secretsmanager:us-east-1:000000000000:secret:signing-key-??????'],
);
const other = functionAllowed('other', ['dynamodb:*'], ['*']);
const principals = knowing(signer, other);
const secrets = [
  { Name: 'signing-key', GenerateSecretString: { PasswordLength: 64, ExcludePunctuation: true } },
  {
    Name: 'database',
    GenerateSecretString: { SecretStringTemplate: '{"user":"admin"}', GenerateStringKey: 'password' },
  },
];

let directory: string;
let service: RunningSecretsManager;

const start = (file = join(directory, 'state', 'secrets.json')) =>
  startSecretsManager({ port: 0, file, secrets, principals, clock: systemClock, log: () => undefined });
const clientOf = (principal: typeof owner) =>
  new SecretsManagerClient(callingAs(principal, service.endpoint));
const read = (SecretId: string, VersionStage?: string) =>
  clientOf(owner).send(new GetSecretValueCommand({ SecretId, ...(VersionStage && { VersionStage }) }));

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-secrets-'));
  service = await start();
});
afterAll(async () => {
  await service.close();
  await rm(directory, { recursive: true });
});

it('gives a function the secret that its role grants, by name and by ARN', async () => {
  const byArn = await clientOf(signer).send(
    new GetSecretValueCommand({ SecretId: service.secretArn('signing-key') }),
  );
  expect(byArn.SecretString).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(byArn).toMatchObject({ Name: 'signing-key', VersionStages: ['AWSCURRENT'] });
  expect(byArn.CreatedDate).toBeInstanceOf(Date);
  expect((await read('signing-key')).SecretString).toBe(byArn.SecretString);
  expect(JSON.parse((await read('database')).SecretString ?? '')).toEqual({
    user: 'admin',
    password: expect.stringMatching(/^.{32}$/),
  });
});

it('keeps secrets over a restart, in a file that nobody else can read', async () => {
  const before = await read('signing-key');
  await service.close();
  service = await start();
  expect(await read('signing-key')).toMatchObject({ SecretString: before.SecretString, ARN: before.ARN });
  if (process.platform !== 'win32') {
    expect((await stat(join(directory, 'state', 'secrets.json'))).mode & 0o777).toBe(0o600);
  }
});

it('keeps the previous value when it rotates', async () => {
  await expect(read('signing-key', 'AWSPREVIOUS')).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  const before = await read('signing-key');
  await service.rotate('signing-key');
  const now = await read('signing-key');
  expect(now.SecretString).toMatch(/^[A-Za-z0-9]{64}$/);
  expect(now.SecretString).not.toBe(before.SecretString);
  expect(await read('signing-key', 'AWSPREVIOUS')).toMatchObject({
    SecretString: before.SecretString,
    VersionId: before.VersionId,
    VersionStages: ['AWSPREVIOUS'],
  });
});

it('refuses what a role does not grant, and says nothing about what exists', async () => {
  const denied = (SecretId: string) => clientOf(other).send(new GetSecretValueCommand({ SecretId }));
  const error = { name: 'AccessDeniedException', $metadata: { httpStatusCode: 400 } };
  await expect(denied('signing-key')).rejects.toMatchObject(error);
  await expect(denied('nothing')).rejects.toMatchObject(error);
  await expect(
    clientOf(signer).send(new GetSecretValueCommand({ SecretId: service.secretArn('database') })),
  ).rejects.toThrow(/assumed-role\/signer is not authorized to perform: secretsmanager:GetSecretValue/);
});

it('has errors for what is not there and for what it does not do', async () => {
  await expect(read('nothing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(clientOf(owner).send(new ListSecretsCommand({}))).rejects.toThrow(/does not know ListSecrets/);
});

it('does not overwrite a damaged file', async () => {
  const file = join(directory, 'damaged.json');
  await writeFile(file, '{"signing-key": {"arn": 1}}');
  await expect(start(file)).rejects.toThrow(SecretsFileError);
  expect(await readFile(file, 'utf8')).toBe('{"signing-key": {"arn": 1}}');
});

describe('a generated secret', () => {
  it('has 32 characters of every class, unless told otherwise', () => {
    const secret = generateSecretString({});
    expect(secret).toHaveLength(32);
    for (const kind of [/[a-z]/, /[A-Z]/, /\d/, /[^A-Za-z0-9]/]) expect(secret).toMatch(kind);
  });

  it('excludes what is to be excluded', () => {
    const secret = generateSecretString({
      PasswordLength: 200,
      ExcludeCharacters: 'abc',
      ExcludeUppercase: true,
      ExcludeNumbers: true,
      ExcludePunctuation: true,
    });
    expect(secret).toMatch(/^[d-z]{200}$/);
  });

  it.each([
    [{ SecretStringTemplate: '{}' }],
    [{ SecretStringTemplate: '[]', GenerateStringKey: 'k' }],
    [{ SecretStringTemplate: 'x', GenerateStringKey: 'k' }],
    [{ PasswordLength: 3 }],
    [{ PasswordLength: 5000 }],
  ])('is refused for %j', (settings) => {
    expect(() => generateSecretString(settings)).toThrow(SecretSettingsError);
  });
});
