import { once } from 'node:events';
import { createServer } from 'node:http';
import { json } from 'node:stream/consumers';
import * as v from 'valibot';

/** An HTTP server that answers GetSecretValue as Secrets Manager does. */
export interface SecretsServer {
  readonly endpoint: string;
  /** The versions of the one secret, by stage. */
  readonly versions: { AWSCURRENT?: string; AWSPREVIOUS?: string };
  /** Answers everything with this status until it is undefined again. */
  failing: number | undefined;
  /** How often AWSCURRENT has been asked for. */
  readings: number;
  /** Makes `secret` the current version and the current one the previous. */
  rotate(secret: string): void;
  close(): Promise<void>;
}

const RequestSchema = v.object({
  SecretId: v.string(),
  VersionStage: v.picklist(['AWSCURRENT', 'AWSPREVIOUS']),
});

/** Starts the server on a free port, with one version of the secret. */
export async function startSecretsServer(secret: string): Promise<SecretsServer> {
  const server = createServer(async (request, response) => {
    const { VersionStage: stage } = v.parse(RequestSchema, await json(request));
    if (stage === 'AWSCURRENT') secrets.readings += 1;
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body));
    if (secrets.failing !== undefined) return answer(secrets.failing, { __type: 'InternalServiceError' });
    const value = secrets.versions[stage];
    if (value === undefined)
      return answer(400, { __type: 'ResourceNotFoundException', Message: 'no version' });
    return answer(200, { SecretString: value, VersionStages: [stage] });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  const secrets: SecretsServer = {
    endpoint: `http://127.0.0.1:${address.port}`,
    versions: { AWSCURRENT: secret },
    failing: undefined,
    readings: 0,
    rotate: (next) => {
      const current = secrets.versions.AWSCURRENT;
      if (current !== undefined) secrets.versions.AWSPREVIOUS = current;
      secrets.versions.AWSCURRENT = next;
    },
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
  return secrets;
}
