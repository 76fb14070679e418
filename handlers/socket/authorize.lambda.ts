import { createSecretsManagerClient } from '../aws/clients.ts';
import { SecretTokens } from '../aws/secret-tokens.ts';
import { authorizerAllow, readAuthorizerRequest } from '../aws/socket-event.ts';
import { createLog } from '../aws/telemetry.ts';
import { readEnvironment } from '../environment.ts';
import { createAuthorize } from './authorize.ts';

const environment = readEnvironment(['signingSecretArn']);

const authorize = createAuthorize({
  tokens: new SecretTokens({
    client: createSecretsManagerClient(),
    secretArn: environment.signingSecretArn,
    now: () => new Date(),
  }),
  log: createLog('authorize'),
});

/** Decides who may connect to the WebSocket API. */
export async function handler(event: unknown): Promise<ReturnType<typeof authorizerAllow>> {
  const request = readAuthorizerRequest(event);
  return authorizerAllow(request.methodArn, await authorize(request));
}
