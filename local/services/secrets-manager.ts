import { randomBytes, randomUUID } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { dirname } from 'node:path';
import { ACCOUNT, REGION } from '../account.ts';
import type { Clock } from '../clock.ts';
import { StartError } from '../errors.ts';
import { listen } from '../gateway/listening-server.ts';
import { denial, type Principals } from '../permissions/principal.ts';
import { type GenerateSecretString, generateSecretString } from './generated-secret.ts';
import {
  type AuthenticationStyle,
  isRecord,
  isRefusal,
  type JsonCall,
  type JsonRefusal,
  readBytes,
  readJsonCall,
  refuseJson,
} from './json-service.ts';
import { HOST, type RunningService } from './running-service.ts';

/** A secret, named like the properties of `AWS::SecretsManager::Secret`. */
export interface SecretSettings {
  /** The name; CloudFormation makes one up from the logical id where the template has none. */
  readonly Name: string;
  readonly GenerateSecretString?: GenerateSecretString;
  readonly SecretString?: string;
}

/** How Secrets Manager is to run here. */
export interface SecretsManagerSettings {
  /** 0 for a free one. */
  readonly port: number;
  /** The file that keeps the secrets, readable by its owner alone. */
  readonly file: string;
  readonly secrets: readonly SecretSettings[];
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

/** A running Secrets Manager. */
export interface RunningSecretsManager extends RunningService {
  /** The ARN of a secret of the settings, which ends in six random characters, as in AWS. */
  secretArn(name: string): string;
  /** Makes a new current value; the one that was current becomes AWSPREVIOUS. */
  rotate(name: string): Promise<void>;
}

/** What was asked for is not among the settings. */
export class UnknownSecretError extends Error {
  override readonly name = 'UnknownSecretError';
}

/** The file that keeps the secrets is not one that we wrote. */
export class SecretsFileError extends StartError {
  override readonly name = 'SecretsFileError';
}

interface Version {
  readonly versionId: string;
  readonly value: string;
  /** Milliseconds since the epoch. */
  readonly createdAt: number;
}

/** The answer of GetSecretValue. */
interface SecretValue {
  readonly ARN: string;
  readonly Name: string;
  readonly VersionId: string;
  readonly SecretString: string;
  readonly VersionStages: readonly string[];
  /** Seconds since the epoch. */
  readonly CreatedDate: number;
}

interface StoredSecret {
  readonly arn: string;
  readonly current: Version;
  readonly previous?: Version;
}

const STYLE: AuthenticationStyle = { statusCode: 400, unknownAccessKey: 'UnrecognizedClientException' };

/**
 * Starts as much of Secrets Manager as functions use: GetSecretValue with AWSCURRENT and AWSPREVIOUS. Secrets
 * that the file does not have yet are made up as the template says.
 *
 * @throws SecretSettingsError, SecretsFileError, and the system's error if the port is taken
 */
export async function startSecretsManager(settings: SecretsManagerSettings): Promise<RunningSecretsManager> {
  const stored = await readStored(settings.file);
  const known = new Map<string, StoredSecret>();
  for (const secret of settings.secrets) {
    known.set(secret.Name, stored.get(secret.Name) ?? newSecret(secret, settings.clock.now()));
  }
  const save = (): Promise<void> => writeStored(settings.file, new Map([...stored, ...known]));
  await save();
  const listening = await listen(HOST, settings.port);
  listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void answer(settings, known, request, response);
  });
  const find = (name: string): StoredSecret => {
    const secret = known.get(name);
    if (secret === undefined) throw new UnknownSecretError(`There is no secret "${name}".`);
    return secret;
  };
  return {
    endpoint: `http://${HOST}:${listening.port}`,
    port: listening.port,
    secretArn: (name) => find(name).arn,
    rotate: async (name) => {
      const { arn, current } = find(name);
      const secret = settings.secrets.find(({ Name }) => Name === name);
      const next = newVersion(secret?.GenerateSecretString ?? {}, settings.clock.now());
      known.set(name, { arn, current: next, previous: current });
      await save();
    },
    close: () => listening.close(),
  };
}

function newSecret(settings: SecretSettings, now: number): StoredSecret {
  const suffix = randomBytes(9)
    .toString('base64')
    .replace(/[^A-Za-z0-9]/g, 'x')
    .slice(0, 6);
  const arn = `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${settings.Name}-${suffix}`;
  const version = newVersion(settings.GenerateSecretString ?? {}, now);
  const { SecretString } = settings;
  return { arn, current: SecretString === undefined ? version : { ...version, value: SecretString } };
}

function newVersion(settings: GenerateSecretString, now: number): Version {
  return { versionId: randomUUID(), value: generateSecretString(settings), createdAt: now };
}

/** Answers one call; never rejects. */
async function answer(
  settings: SecretsManagerSettings,
  known: ReadonlyMap<string, StoredSecret>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await readBytes(request, response);
  if (bytes === undefined) return;
  const call = readJsonCall(request, bytes, settings.principals, settings.clock, STYLE);
  const result = isRefusal(call) ? call : getSecretValue(call, known);
  if ('statusCode' in result) {
    // The message names who asked for which secret, never a value. That there is no AWSPREVIOUS before the
    // first rotation is an answer, not a fault.
    if (result.type !== 'ResourceNotFoundException') settings.log(`Secrets Manager: ${result.message}`);
    return refuseJson(response, result);
  }
  const body = JSON.stringify(result);
  response
    .writeHead(200, {
      'Content-Type': 'application/x-amz-json-1.1',
      'Content-Length': Buffer.byteLength(body),
    })
    .end(body);
}

function getSecretValue(call: JsonCall, known: ReadonlyMap<string, StoredSecret>): JsonRefusal | SecretValue {
  if (call.operation !== 'GetSecretValue') {
    return {
      statusCode: 400,
      type: 'UnknownOperationException',
      message: `The local Secrets Manager does not know ${call.operation}.`,
    };
  }
  const { SecretId, VersionId, VersionStage } = call.body;
  const id = typeof SecretId === 'string' ? SecretId : '';
  const entry = [...known].find(([name, { arn }]) => name === id || arn === id);
  // Permission comes first: who has none is not told whether the secret exists.
  const resource = entry?.[1].arn ?? `arn:aws:secretsmanager:${REGION}:${ACCOUNT}:secret:${id}`;
  const message = denial(call.principal, 'secretsmanager:GetSecretValue', resource);
  if (message !== undefined) return { statusCode: 400, type: 'AccessDeniedException', message };
  const notFound = (what: string): JsonRefusal => ({
    statusCode: 400,
    type: 'ResourceNotFoundException',
    message: `Secrets Manager can't find the specified secret${what}.`,
  });
  if (entry === undefined) return notFound('');
  const [name, secret] = entry;
  const wantsPrevious =
    VersionStage === 'AWSPREVIOUS' ||
    (VersionStage === undefined && VersionId !== undefined && VersionId === secret.previous?.versionId);
  const stage = wantsPrevious ? 'AWSPREVIOUS' : 'AWSCURRENT';
  const version = wantsPrevious ? secret.previous : secret.current;
  if (
    version === undefined ||
    (VersionStage !== undefined && VersionStage !== stage) ||
    (VersionId !== undefined && VersionId !== version.versionId)
  ) {
    return notFound(` value for staging label: ${String(VersionStage ?? VersionId)}`);
  }
  return {
    ARN: secret.arn,
    Name: name,
    VersionId: version.versionId,
    SecretString: version.value,
    VersionStages: [stage],
    CreatedDate: version.createdAt / 1000,
  };
}

async function readStored(file: string): Promise<ReadonlyMap<string, StoredSecret>> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw error;
  }
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value) && Object.values(value).every(isStoredSecret)) {
      // Checked, each one, on the line above.
      return new Map(Object.entries(value as Record<string, StoredSecret>));
    }
  } catch (cause) {
    throw damaged(file, cause);
  }
  throw damaged(file);
}

function damaged(file: string, cause?: unknown): SecretsFileError {
  return new SecretsFileError(`${file} is damaged. Run npm start -- --fresh to begin anew.`, { cause });
}

function isStoredSecret(value: unknown): value is StoredSecret {
  if (!isRecord(value) || typeof value['arn'] !== 'string' || !isVersion(value['current'])) return false;
  return value['previous'] === undefined || isVersion(value['previous']);
}

function isVersion(value: unknown): value is Version {
  return (
    isRecord(value) &&
    typeof value['versionId'] === 'string' &&
    typeof value['value'] === 'string' &&
    typeof value['createdAt'] === 'number'
  );
}

/** Written beside and renamed, so that a crash leaves the old file or the new one. */
async function writeStored(file: string, secrets: ReadonlyMap<string, StoredSecret>): Promise<void> {
  await mkdir(dirname(file), { recursive: true });
  const draft = `${file}.${process.pid}.draft`;
  await writeFile(draft, `${JSON.stringify(Object.fromEntries(secrets), undefined, 2)}\n`, { mode: 0o600 });
  await rename(draft, file);
}
