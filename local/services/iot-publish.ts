import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Aedes } from 'aedes';
import type { Clock } from '../clock.ts';
import { denial, type Principals } from '../permissions/principal.ts';
import { authenticate } from '../permissions/signature.ts';
import { MAXIMUM_PAYLOAD_BYTES, RETAIN_INTERVAL_MS } from './iot-limits.ts';
import { iotArn, topicProblem } from './iot-topic.ts';
import { authenticationRefusal, readBytes } from './json-service.ts';

/** What the HTTPS API of IoT Core needs. */
export interface IotPublishSettings {
  readonly broker: Aedes;
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

interface Refusal {
  readonly statusCode: number;
  readonly type: string;
  readonly message: string;
}

/** `POST /topics/<topic>?qos=…&retain=…` (AWS IoT API reference, Publish), with one message a topic and second retained. */
export class IotPublish {
  readonly #settings: IotPublishSettings;
  /** When a message of a topic was retained last, in milliseconds since the epoch. */
  readonly #retainedAt = new Map<string, number>();

  constructor(settings: IotPublishSettings) {
    this.#settings = settings;
  }

  /** Answers one request; never rejects. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await readBytes(request, response);
    if (body === undefined) return;
    const refusal = await this.#publish(request, body);
    if (refusal === undefined) {
      response.writeHead(200, { 'Content-Type': 'application/json' }).end('{"message":"OK"}');
      return;
    }
    if (refusal.statusCode !== 429) this.#settings.log(`IoT Core: ${refusal.message}`);
    response
      .writeHead(refusal.statusCode, {
        'Content-Type': 'application/json',
        'x-amzn-ErrorType': refusal.type,
      })
      .end(JSON.stringify({ message: refusal.message }));
  }

  async #publish(request: IncomingMessage, body: Buffer): Promise<Refusal | undefined> {
    const { principals, clock, broker } = this.#settings;
    const { method = '', url = '/', headers } = request;
    const caller = authenticate({ method, url, headers, body }, principals, {
      service: 'other',
      now: clock.now(),
    });
    if (caller.kind === 'refused') {
      return authenticationRefusal(caller.refusal, {
        statusCode: 403,
        unknownAccessKey: 'UnrecognizedClientException',
      });
    }
    const call = readCall(method, url);
    if (call === undefined) return invalid(`${method} ${url} is no call of the local IoT Core`, 404);
    const { topic, qos, retain } = call;
    const problem = topicProblem(topic);
    if (problem !== undefined) return invalid(`${topic}: ${problem}`);
    if (body.length > MAXIMUM_PAYLOAD_BYTES) {
      return invalid(`a message has at most ${MAXIMUM_PAYLOAD_BYTES} bytes, not ${body.length}`, 413);
    }
    const actions = retain ? ['iot:Publish', 'iot:RetainPublish'] : ['iot:Publish'];
    for (const action of actions) {
      const message = denial(caller.principal, action, iotArn(`topic/${topic}`));
      if (message !== undefined) return { statusCode: 403, type: 'ForbiddenException', message };
    }
    if (retain && !this.#mayRetain(topic)) {
      return {
        statusCode: 429,
        type: 'ThrottlingException',
        message: `${topic} takes one retained message a second`,
      };
    }
    await new Promise<void>((resolve, reject) => {
      broker.publish({ cmd: 'publish', topic, payload: body, qos, retain, dup: false }, (error) =>
        error ? reject(error) : resolve(),
      );
    });
    return undefined;
  }

  #mayRetain(topic: string): boolean {
    const now = this.#settings.clock.now();
    if (now - (this.#retainedAt.get(topic) ?? Number.NEGATIVE_INFINITY) < RETAIN_INTERVAL_MS) return false;
    this.#retainedAt.delete(topic); // the oldest come first
    this.#retainedAt.set(topic, now);
    for (const [other, at] of this.#retainedAt) {
      if (now - at < RETAIN_INTERVAL_MS) break;
      this.#retainedAt.delete(other);
    }
    return true;
  }
}

function readCall(
  method: string,
  url: string,
): { readonly topic: string; readonly qos: 0 | 1; readonly retain: boolean } | undefined {
  const [, path, query = ''] = /^\/topics\/([^?]+)(?:\?(.*))?$/.exec(url) ?? [];
  if (method !== 'POST' || path === undefined) return undefined;
  const parameters = new URLSearchParams(query);
  const qos = parameters.get('qos') ?? '0';
  if (qos !== '0' && qos !== '1') return undefined;
  try {
    return {
      topic: decodeURIComponent(path),
      qos: qos === '1' ? 1 : 0,
      retain: parameters.get('retain') === 'true',
    };
  } catch {
    // A stray "%": no path that anybody would have encoded.
    return undefined;
  }
}

function invalid(message: string, statusCode = 400): Refusal {
  return { statusCode, type: 'InvalidRequestException', message };
}
