import type { AedesOptions, Client } from 'aedes';
import type { Clock, Timer } from '../clock.ts';
import { decide } from '../permissions/policy.ts';
import {
  askAuthorizer,
  authorizerEvent,
  authorizerName,
  type IotAuthorizer,
  type IotCredentials,
  type IotGrant,
  isRefused,
} from './iot-authorizer.ts';
import { KEEP_ALIVE_SECONDS, MAXIMUM_CLIENT_ID_BYTES, MAXIMUM_PAYLOAD_BYTES } from './iot-limits.ts';
import { filterProblem, iotArn, topicProblem } from './iot-topic.ts';

/** Return codes of CONNACK (MQTT 3.1.1, 3.2.2.3). */
const IDENTIFIER_REJECTED = 2;
const NOT_AUTHORIZED = 5;

/** What `IotConnections` needs. */
export interface IotConnectionsSettings {
  readonly authorizers: readonly IotAuthorizer[];
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

interface Connection {
  /** The topic of the will, if there is one. */
  readonly willTopic: string | undefined;
  grant?: IotGrant;
  readonly timers: Timer[];
}

type Hooks = Required<
  Pick<
    AedesOptions,
    'preConnect' | 'authenticate' | 'authorizeSubscribe' | 'authorizeForward' | 'authorizePublish'
  >
>;

/**
 * What each connection may do: what its authorizer's policies say, with the actions and resources of IoT Core (AWS IoT
 * Developer Guide, "AWS IoT Core policy actions").
 */
export class IotConnections {
  readonly #settings: IotConnectionsSettings;
  readonly #connections = new Map<Client, Connection>();

  constructor(settings: IotConnectionsSettings) {
    this.#settings = settings;
  }

  /** How the broker asks. */
  readonly hooks: Hooks = {
    preConnect: (client, packet, callback) => {
      const { shortest, longest } = KEEP_ALIVE_SECONDS;
      const asked = packet.keepalive ?? 0;
      packet.keepalive = asked === 0 || asked > longest ? longest : Math.max(asked, shortest);
      this.#connections.set(client, { willTopic: packet.will?.topic, timers: [] });
      callback(null, true);
    },
    authenticate: (client, username, password, done) => {
      this.#authenticate(client, username, password).then(
        (refusal) => (refusal === undefined ? done(null, true) : done(refusal, false)),
        (error: unknown) => {
          this.#settings.log(`IoT Core: a connect could not be decided: ${String(error)}`);
          done(connectError('the authorizer could not be asked', NOT_AUTHORIZED), false);
        },
      );
    },
    authorizeSubscribe: (client, subscription, callback) => {
      const { topic, qos } = subscription;
      const problem = filterProblem(topic) ?? (qos === 2 ? 'QoS 2 is not supported' : undefined);
      // IoT Core answers neither with a SUBACK; it closes.
      if (problem !== undefined) return callback(new Error(`SUBSCRIBE ${topic}: ${problem}`));
      if (this.#may(client, 'iot:Subscribe', `topicfilter/${topic}`)) return callback(null, subscription);
      // AWS documents nowhere what its broker does: it has been seen to close the connection (aws-iot-device-sdk-js,
      // issue 125), and to answer a SUBACK with the failure 0x80, as MQTT 3.1.1 (3.9.3) has it and as is done here.
      // The second alone says that it is a refusal; upon the first a client connects again.
      this.#settings.log(`IoT Core: ${client.id} may not subscribe to ${topic}`);
      callback(null, null);
    },
    authorizeForward: (client, packet) =>
      this.#may(client, 'iot:Receive', `topic/${packet.topic}`) ? packet : null,
    authorizePublish: (client, packet, callback) => {
      if (client === null) return callback(null);
      const problem = this.#publishProblem(client, packet);
      if (problem === undefined) return callback(null);
      // MQTT 3.1.1 has no way to refuse a PUBLISH but to close (3.3.5), and IoT Core does.
      this.#settings.log(`IoT Core: ${client.id}: ${problem}`);
      callback(new Error(problem));
    },
  };

  /** Forgets a connection that has ended. */
  forget(client: Client): void {
    for (const timer of this.#connections.get(client)?.timers ?? []) timer.cancel();
    this.#connections.delete(client);
  }

  async #authenticate(
    client: Client,
    username: string | undefined,
    password: Uint8Array | undefined,
  ): Promise<ReturnType<typeof connectError> | undefined> {
    const refuse = (reason: string, code = NOT_AUTHORIZED) => {
      // Neither user name nor password, which may hold a ticket.
      this.#settings.log(`IoT Core: a connect was refused: ${reason}`);
      this.forget(client);
      return connectError(reason, code);
    };
    const connection = this.#connections.get(client);
    if (connection === undefined) return refuse('the connection is gone');
    if (Buffer.byteLength(client.id) > MAXIMUM_CLIENT_ID_BYTES) {
      return refuse(`a client id has at most ${MAXIMUM_CLIENT_ID_BYTES} bytes`, IDENTIFIER_REJECTED);
    }
    const credentials = credentialsOf(client, username, password);
    const name = authorizerName(credentials);
    const authorizer = this.#settings.authorizers.find((candidate) => candidate.name === name);
    if (authorizer === undefined) {
      return refuse(name === undefined ? 'it names no authorizer' : `there is no authorizer "${name}"`);
    }
    const event = authorizerEvent(credentials);
    const grant = await askAuthorizer(authorizer, event, this.#settings.clock);
    if (isRefused(grant)) return refuse(grant.reason);
    connection.grant = grant;
    const resource = `client/${client.id}`;
    if (!this.#may(client, 'iot:Connect', resource)) return refuse(`no iot:Connect on ${resource}`);
    const { willTopic } = connection;
    if (willTopic !== undefined && !this.#may(client, 'iot:Publish', `topic/${willTopic}`)) {
      return refuse(`no iot:Publish on the will's topic ${willTopic}`);
    }
    this.#limit(client, connection, authorizer, event);
    return undefined;
  }

  /** Ends the connection when its time is up, and asks the authorizer again before, if that is due. */
  #limit(client: Client, connection: Connection, authorizer: IotAuthorizer, event: object): void {
    const { clock, log } = this.#settings;
    const { grant } = connection;
    if (grant === undefined) return;
    const end = (why: string): void => {
      log(`IoT Core: ${client.id} was disconnected: ${why}`);
      client.close();
    };
    const schedule = (seconds: number, callback: () => void): void => {
      connection.timers.push(clock.schedule(seconds * 1000, callback));
    };
    schedule(grant.disconnectAfterSeconds, () => end('its time is up'));
    const refresh = (): void => {
      void askAuthorizer(authorizer, event, clock).then((again) => {
        if (!this.#connections.has(client)) return;
        if (isRefused(again)) return end(again.reason);
        connection.grant = again;
        schedule(again.refreshAfterSeconds, refresh);
      });
    };
    if (grant.refreshAfterSeconds < grant.disconnectAfterSeconds)
      schedule(grant.refreshAfterSeconds, refresh);
  }

  #publishProblem(
    client: Client,
    {
      topic,
      payload,
      retain,
      qos,
    }: { topic: string; payload: string | Uint8Array; retain: boolean; qos: number },
  ): string | undefined {
    const problem = topicProblem(topic);
    if (problem !== undefined) return `PUBLISH ${topic}: ${problem}`;
    if (qos === 2) return 'PUBLISH: QoS 2 is not supported';
    if (payload.length > MAXIMUM_PAYLOAD_BYTES)
      return `PUBLISH ${topic}: more than ${MAXIMUM_PAYLOAD_BYTES} bytes`;
    const resource = `topic/${topic}`;
    if (!this.#may(client, 'iot:Publish', resource)) return `it may not publish to ${topic}`;
    if (retain && !this.#may(client, 'iot:RetainPublish', resource)) return `it may not retain on ${topic}`;
    return undefined;
  }

  #may(client: Client, action: string, resource: string): boolean {
    const statements = this.#connections.get(client)?.grant?.statements ?? [];
    return decide(statements, action, iotArn(resource)) === 'allowed';
  }
}

function credentialsOf(
  client: Client,
  username: string | undefined,
  password: Uint8Array | undefined,
): IotCredentials {
  const { url = '/', headers = {} } = client.req ?? {};
  const [, query = ''] = url.split('?', 2);
  return {
    clientId: client.id,
    username,
    password,
    query,
    headers: Object.fromEntries(
      Object.entries(headers).flatMap(([name, value]) =>
        value === undefined ? [] : [[name, Array.isArray(value) ? value.join(',') : value]],
      ),
    ),
  };
}

function connectError(reason: string, returnCode: number): Error & { returnCode: number } {
  return Object.assign(new Error(reason), { returnCode });
}
