import { randomUUID } from 'node:crypto';
import * as v from 'valibot';
import type { Clock } from '../clock.ts';
import { StartError } from '../errors.ts';
import type { InvokableFunction } from '../functions/invocation.ts';
import { describeFailure, invokeWithin } from '../gateway/integration.ts';
import { type PolicyStatement, parsePolicyDocument } from '../permissions/policy.ts';
import {
  AUTHORIZATION_SECONDS,
  AUTHORIZER_TIMEOUT_MS,
  MAXIMUM_POLICY_CHARACTERS,
  MAXIMUM_POLICY_DOCUMENTS,
} from './iot-limits.ts';

/** A custom authorizer, `AWS::IoT::Authorizer` without signing. */
export interface IotAuthorizer {
  readonly name: string;
  readonly function: InvokableFunction;
}

/** What a client shows as it connects by MQTT over a WebSocket. */
export interface IotCredentials {
  readonly clientId: string;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  /** Query of the WebSocket's URL, without the question mark. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** What a connection may do, and for how long. */
export interface IotGrant {
  readonly statements: readonly PolicyStatement[];
  readonly disconnectAfterSeconds: number;
  readonly refreshAfterSeconds: number;
}

/** A connection is refused; `reason` is for the log, the client learns the code alone. */
export interface IotRefusal {
  readonly reason: string;
}

const Seconds = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(AUTHORIZATION_SECONDS.shortest),
  v.maxValue(AUTHORIZATION_SECONDS.longest),
);
const AnswerSchema = v.variant('isAuthenticated', [
  v.object({ isAuthenticated: v.literal(false) }),
  v.object({
    isAuthenticated: v.literal(true),
    principalId: v.pipe(v.string(), v.regex(/^[A-Za-z0-9]{1,128}$/, 'must be 1 to 128 letters and digits')),
    disconnectAfterInSeconds: Seconds,
    refreshAfterInSeconds: Seconds,
    policyDocuments: v.pipe(v.array(v.unknown()), v.maxLength(MAXIMUM_POLICY_DOCUMENTS)),
  }),
]);

/**
 * The authorizer that a client names behind its user name, in a header or in the URL's query (AWS IoT Developer Guide,
 * "Connecting to AWS IoT Core by using custom authentication"). There is no default one here.
 */
export function authorizerName({ username, query, headers }: IotCredentials): string | undefined {
  const [, parameters = ''] = /\?(.*)$/s.exec(username ?? '') ?? [];
  return (
    new URLSearchParams(parameters).get(NAME) ??
    headers[NAME] ??
    new URLSearchParams(query).get(NAME) ??
    undefined
  );
}

const NAME = 'x-amz-customauthorizer-name';

/** The event of a custom authorizer ("Defining your Lambda function"); the password is in base64. */
export function authorizerEvent({ clientId, username, password, query, headers }: IotCredentials): object {
  return {
    signatureVerified: false,
    protocols: ['tls', 'http', 'mqtt'],
    protocolData: {
      tls: { serverName: headers['host'] ?? '' },
      http: { headers, queryString: query === '' ? '' : `?${query}` },
      mqtt: {
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password: Buffer.from(password).toString('base64') }),
        clientId,
      },
    },
    connectionMetadata: { id: randomUUID() },
  };
}

/** Asks an authorizer. A function that fails, or answers what IoT Core would not take, is a refusal. */
export async function askAuthorizer(
  authorizer: IotAuthorizer,
  event: object,
  clock: Clock,
): Promise<IotGrant | IotRefusal> {
  const outcome = await invokeWithin(authorizer.function, event, AUTHORIZER_TIMEOUT_MS, clock);
  if (outcome.kind !== 'returned') return { reason: describeFailure(authorizer.function, outcome) };
  const answer = v.safeParse(AnswerSchema, outcome.payload);
  if (!answer.success) {
    const [issue] = answer.issues;
    const where = `${authorizer.function.name} gave a malformed answer`;
    return { reason: `${where}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}` };
  }
  if (!answer.output.isAuthenticated) return { reason: `${authorizer.function.name} says that it is not` };
  const { disconnectAfterInSeconds, refreshAfterInSeconds, policyDocuments } = answer.output;
  try {
    return {
      statements: policyDocuments.flatMap(readDocument),
      disconnectAfterSeconds: disconnectAfterInSeconds,
      refreshAfterSeconds: refreshAfterInSeconds,
    };
  } catch (error) {
    if (!(error instanceof StartError || error instanceof SyntaxError)) throw error;
    return { reason: error.message };
  }
}

/** Tells a refusal from a grant. */
export function isRefused(value: IotGrant | IotRefusal): value is IotRefusal {
  return 'reason' in value;
}

/** A document is JSON, as text or not. */
function readDocument(document: unknown): readonly PolicyStatement[] {
  const text = typeof document === 'string' ? document : JSON.stringify(document);
  if (text.length > MAXIMUM_POLICY_CHARACTERS) {
    throw new StartError(
      `A policy document has ${text.length} characters, more than ${MAXIMUM_POLICY_CHARACTERS}`,
    );
  }
  return parsePolicyDocument('of the authorizer', JSON.parse(text));
}
