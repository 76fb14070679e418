import { IoTDataPlaneClient, PublishCommand } from '@aws-sdk/client-iot-data-plane';
import { broadcastTopic } from '../../protocol/broadcast.ts';
import type { Broker } from '../ports.ts';
import { translateServiceError } from './service-error.ts';

/** As for other services (clients.ts): a connection inside a Region opens in a few milliseconds. */
const CONNECTION_MILLISECONDS = 1_000;

/** IoT Core answers in tens of milliseconds, and the stream waits meanwhile: what takes longer goes by the queue. */
const ANSWER_MILLISECONDS = 1_500;

/** At least once: a message of QoS 0 need not reach those who are connected. */
const QOS = 1;

/**
 * `Broker` on AWS IoT Core, by its HTTPS API: a publication needs no connection of the function's own. Nothing is
 * tried again here; the queue is the retry, because it reads the newest state.
 */
export class IotBroker implements Broker {
  readonly #client: IoTDataPlaneClient;

  /** `endpoint` is `https://HOST` of the account's data endpoint. Region and credentials come from the environment. */
  constructor({ endpoint }: { readonly endpoint: string }) {
    this.#client = new IoTDataPlaneClient({
      endpoint,
      maxAttempts: 1,
      requestHandler: {
        connectionTimeout: CONNECTION_MILLISECONDS,
        requestTimeout: ANSWER_MILLISECONDS,
        throwOnRequestTimeout: true, // without it a late answer is only a line in the log
      },
    });
  }

  async publish(job: string, frame: string, { retain }: { readonly retain: boolean }): Promise<void> {
    await this.#send(job, Buffer.from(frame), retain);
  }

  async clear(job: string): Promise<void> {
    // A retained message without content removes the one that is there (MQTT 3.1.1, 3.3.1.3).
    await this.#send(job, new Uint8Array(), true);
  }

  async #send(job: string, payload: Uint8Array, retain: boolean): Promise<void> {
    try {
      await this.#client.send(new PublishCommand({ topic: broadcastTopic(job), qos: QOS, retain, payload }));
    } catch (error) {
      throw translateServiceError('IoT Core', error);
    }
  }
}
