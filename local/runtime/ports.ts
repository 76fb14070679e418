import { createServer } from 'node:net';
import { StartError } from '../errors.ts';
import { HOST } from '../services/running-service.ts';

/** Where each part listens. Those that a client meets come first. */
export interface Ports {
  readonly page: number;
  readonly httpApi: number;
  readonly socketApi: number;
  readonly storage: number;
  readonly queues: number;
  readonly dynamoDb: number;
  readonly secrets: number;
  readonly workflows: number;
  readonly broker: number;
}

/**
 * The ports from `first` on, once all of them are free.
 * @throws StartError that names the one which is not.
 */
export async function claimPorts(first: number): Promise<Ports> {
  const ports: Ports = {
    page: first,
    httpApi: first + 1,
    socketApi: first + 2,
    storage: first + 3,
    queues: first + 4,
    dynamoDb: first + 5,
    secrets: first + 6,
    workflows: first + 7,
    broker: first + 8,
  };
  for (const port of Object.values(ports)) await requireFree(port);
  return ports;
}

/** The sentence for a port that cannot be listened on, because another process has it or it is not ours to take. */
export function portRefusal(port: number, cause: Error): StartError {
  return new StartError(
    `Port ${port} cannot be used (${cause.message}). Stop what uses it, or choose other ports: npm start -- --port 9000`,
    { cause },
  );
}

async function requireFree(port: number): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => reject(portRefusal(port, cause)));
    server.listen(port, HOST, resolve);
  });
  await new Promise<void>((resolve, reject) => {
    server.close((error) => (error === undefined ? resolve() : reject(error)));
  });
}
