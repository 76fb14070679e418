import type { IncomingMessage, ServerResponse } from 'node:http';
import { listen } from '../gateway/listening-server.ts';
import { readBytes, refuseJson } from './json-service.ts';
import { HOST, type RunningService } from './running-service.ts';

/** Where calls end that a function of a VPC cannot make. */
export interface NoRoute extends RunningService {
  /** The endpoint to tell the function for that service. */
  endpointFor(service: string): string;
}

/**
 * Answers what AWS would leave without an answer: a function in a VPC that leads nowhere calls a service which has no
 * endpoint there. On AWS the call hangs until a time-out; here it is refused at once, with a sentence, and not
 * retried (400). Listens on a port of the system's choice: nobody else is told of it.
 */
export async function startNoRoute(log: (line: string) => void): Promise<NoRoute> {
  const listening = await listen(HOST, 0);
  listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void refuse(request, response, log);
  });
  const endpoint = `http://${HOST}:${listening.port}`;
  return {
    endpoint,
    port: listening.port,
    endpointFor: (service) => `${endpoint}/${service}`,
    close: () => listening.close(),
  };
}

/** Never rejects. */
async function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  log: (line: string) => void,
): Promise<void> {
  if ((await readBytes(request, response)) === undefined) return;
  const [, service = 'a service'] = (request.url ?? '').split('/');
  const message = `A function in a VPC called ${service}, for which the VPC has no endpoint: on AWS the call would hang. Let a function outside the VPC do it.`;
  log(message);
  refuseJson(response, { statusCode: 400, type: 'NoRouteFromVpc', message });
}
