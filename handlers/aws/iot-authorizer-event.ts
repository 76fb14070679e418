import * as v from 'valibot';
import { broadcastClientIdPrefix, broadcastTopic } from '../../protocol/broadcast.ts';

/** What a custom authorizer of AWS IoT Core is asked (AWS IoT Developer Guide, "Defining your Lambda function"). */
export interface BrokerConnect {
  /** Absent where the client showed none. */
  readonly ticket?: string;
}

/** An answer to AWS IoT Core (the same page). */
export interface BrokerAuthorization {
  readonly isAuthenticated: boolean;
  /** 1 to 128 letters and digits. */
  readonly principalId: string;
  /** From 300 to 86,400: when the connection is ended. */
  readonly disconnectAfterInSeconds: number;
  /** From 300 to 86,400: when the authorizer is asked again, with the credentials of the connect. */
  readonly refreshAfterInSeconds: number;
  /** At most ten, of 2,048 characters each. */
  readonly policyDocuments: readonly PolicyDocument[];
}

/** A policy of AWS IoT Core. */
interface PolicyDocument {
  readonly Version: '2012-10-17';
  readonly Statement: readonly {
    readonly Effect: 'Allow';
    readonly Action: string;
    readonly Resource: string;
  }[];
}

/** As long as a connection of the WebSocket API lives (aws-facts 1.8). */
const CONNECTION_SECONDS = 7_200;

/** The longest there is, so that it never comes: the ticket has expired by then, and would be refused. */
const REFRESH_SECONDS = 86_400;

/** The shortest there is, for a connection that is not made. */
const SHORTEST_SECONDS = 300;

const Text = v.fallback(v.optional(v.string()), undefined);
const EventSchema = v.object({
  protocolData: v.object({
    mqtt: v.fallback(v.optional(v.object({ username: Text, password: Text })), undefined),
    http: v.fallback(v.optional(v.object({ queryString: Text })), undefined),
  }),
});

/**
 * Reads the event of a custom authorizer. The ticket is the MQTT password; where that is empty, `ticket` among the
 * parameters behind the user name, or in the query of the WebSocket's URL. Whatever is no such event has no ticket.
 */
export function readBrokerConnect(event: unknown): BrokerConnect {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) return {};
  const { mqtt, http } = parsed.output.protocolData;
  const [, parameters = ''] = /\?(.*)$/s.exec(mqtt?.username ?? '') ?? [];
  const ticket = [
    // IoT Core hands the password over in base64.
    Buffer.from(mqtt?.password ?? '', 'base64').toString('utf8'),
    new URLSearchParams(parameters).get('ticket'),
    new URLSearchParams(http?.queryString ?? '').get('ticket'),
  ].find((candidate) => candidate !== null && candidate !== '');
  return ticket === undefined || ticket === null ? {} : { ticket };
}

/**
 * Lets a client in to subscribe to the topic of one job and nothing else: not to publish, nor under the client id of
 * anybody but a watcher of that job, because the broker would end the connection that has it.
 * `functionArn` is the authorizer's own; partition, Region and account are those of the broker as well.
 */
export function brokerAllow(job: string, functionArn: string): BrokerAuthorization {
  const [, partition = '', , region = '', account = ''] = functionArn.split(':');
  const arn = (resource: string): string => `arn:${partition}:iot:${region}:${account}:${resource}`;
  const topic = broadcastTopic(job);
  const clientId = `${broadcastClientIdPrefix(job)}*`;
  return {
    isAuthenticated: true,
    principalId: job.replaceAll(/[^A-Za-z0-9]/g, ''),
    disconnectAfterInSeconds: CONNECTION_SECONDS,
    refreshAfterInSeconds: REFRESH_SECONDS,
    policyDocuments: [
      {
        Version: '2012-10-17',
        Statement: [
          { Effect: 'Allow', Action: 'iot:Connect', Resource: arn(`client/${clientId}`) },
          { Effect: 'Allow', Action: 'iot:Subscribe', Resource: arn(`topicfilter/${topic}`) },
          { Effect: 'Allow', Action: 'iot:Receive', Resource: arn(`topic/${topic}`) },
        ],
      },
    ],
  };
}

/** Turns a client away. */
export function brokerRefuse(): BrokerAuthorization {
  return {
    isAuthenticated: false,
    principalId: 'refused',
    disconnectAfterInSeconds: SHORTEST_SECONDS,
    refreshAfterInSeconds: SHORTEST_SECONDS,
    policyDocuments: [],
  };
}
