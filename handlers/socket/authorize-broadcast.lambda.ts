import { createSecretsManagerClient } from '../aws/clients.ts';
import {
  type BrokerAuthorization,
  brokerAllow,
  brokerRefuse,
  readBrokerConnect,
} from '../aws/iot-authorizer-event.ts';
import { SecretTokens } from '../aws/secret-tokens.ts';
import { createLog } from '../aws/telemetry.ts';
import { readEnvironment } from '../environment.ts';
import { createAuthorizeBroadcast } from './authorize-broadcast.ts';

const environment = readEnvironment(['signingSecretArn']);

const authorize = createAuthorizeBroadcast({
  tokens: new SecretTokens({
    client: createSecretsManagerClient(),
    secretArn: environment.signingSecretArn,
    now: () => new Date(),
  }),
  log: createLog('authorize-broadcast'),
});

/** Decides who may connect to the broker, and to which topic they may subscribe. */
export async function handler(
  event: unknown,
  context: { readonly invokedFunctionArn: string },
): Promise<BrokerAuthorization> {
  const job = await authorize(readBrokerConnect(event));
  return job === undefined ? brokerRefuse() : brokerAllow(job, context.invokedFunctionArn);
}
