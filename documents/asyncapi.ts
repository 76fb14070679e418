import { broadcastTopic } from '../protocol/broadcast.ts';
import { MAXIMUM_FRAME_BYTES, SUBPROTOCOL } from '../protocol/frames.ts';
import { CLIENT_EXAMPLES, SERVER_EXAMPLES } from './examples.ts';
import { jsonSchemasOf, schemaReference } from './json-schema.ts';
import { CLIENT_MESSAGES, type Message, SERVER_MESSAGES } from './messages.ts';
import { VERSION } from './openapi.ts';
import { FRAME_SCHEMAS } from './schemas.ts';

type Fields = Readonly<Record<string, unknown>>;

/** A connection, of which all frames are. */
const CHANNEL = '#/channels/connection';

/** The topic of a job, where states are broadcast. */
const BROADCAST = '#/channels/broadcast';

/** The AsyncAPI 3 document of the socket and of broadcasts, told from the server's side: it receives what a client sends. */
export function asyncApiDocument(): Fields {
  return {
    asyncapi: '3.0.0',
    info: {
      title: 'Jobwire, the WebSocket API',
      version: VERSION,
      description: `Every state of a job, pushed as it is committed. Text frames, one JSON object each, at most ${MAXIMUM_FRAME_BYTES} bytes; subprotocol \`${SUBPROTOCOL}\`. Generated from the schemas of \`protocol/\` by \`npm run documents\`; docs/protocol.md tells the rest.`,
      license: { name: 'MIT' },
    },
    defaultContentType: 'application/json',
    servers: {
      deployed: {
        host: '{api}.execute-api.{region}.amazonaws.com',
        pathname: '/v1',
        protocol: 'wss',
        description: 'Deployed; the output `socket` of the stack.',
        variables: {
          api: { default: 'a1b2c3d4e5', description: 'The id of the WebSocket API.' },
          region: { default: 'eu-central-1', description: 'The Region of the stack.' },
        },
        security: [{ $ref: '#/components/securitySchemes/ticket' }],
      },
      local: {
        host: '127.0.0.1:8402',
        pathname: '/v1',
        protocol: 'ws',
        description: 'On this machine, by `npm start`.',
        security: [{ $ref: '#/components/securitySchemes/ticket' }],
      },
      broker: {
        host: '{account}-ats.iot.{region}.amazonaws.com',
        pathname: '/mqtt',
        protocol: 'wss',
        protocolVersion: '3.1.1',
        description:
          'Where states are broadcast by MQTT over WebSockets (subprotocol `mqtt`), with `broadcast=iot-core`; a ticket for one job says where and as whom.',
        variables: {
          account: { default: 'abc123', description: 'What the account’s endpoint begins with.' },
          region: { default: 'eu-central-1', description: 'The Region of the stack.' },
        },
        security: [{ $ref: '#/components/securitySchemes/password' }],
      },
    },
    channels: { connection: channel(), broadcast: broadcastChannel() },
    operations: operations(),
    components: {
      messages: Object.fromEntries([
        ...Object.entries(CLIENT_MESSAGES).map(([type, message]) =>
          messageEntry(type, message, CLIENT_EXAMPLES),
        ),
        ...Object.entries(SERVER_MESSAGES).map(([type, message]) =>
          messageEntry(type, message, SERVER_EXAMPLES),
        ),
      ]),
      schemas: jsonSchemasOf(FRAME_SCHEMAS, 'draft-07'),
      securitySchemes: {
        ticket: {
          type: 'httpApiKey',
          name: 'ticket',
          in: 'query',
          description: `A ticket of 60 seconds, from \`POST /jobs\`, \`POST /jobs/{id}/tickets\` or \`POST /tickets\`. A browser offers it as the subprotocol \`ticket.<ticket>\` beside \`${SUBPROTOCOL}\` instead, so that it stands in no URL.`,
        },
        password: {
          type: 'userPassword',
          description: 'User name: `broadcast.username` of a ticket for one job. Password: that ticket.',
        },
      },
    },
  };
}

function channel(): Fields {
  const types = [...Object.keys(CLIENT_MESSAGES), ...Object.keys(SERVER_MESSAGES)];
  return {
    address: '/',
    title: 'A connection',
    servers: [{ $ref: '#/servers/deployed' }, { $ref: '#/servers/local' }],
    description: 'Lives two hours at most, and ends after ten minutes without a frame.',
    messages: Object.fromEntries(types.map((type) => [type, { $ref: `#/components/messages/${type}` }])),
    bindings: {
      ws: {
        method: 'GET',
        query: {
          type: 'object',
          properties: {
            ticket: { type: 'string', description: 'For hand tools, which offer no subprotocol.' },
            job: {
              ...schemaReference('JobId'),
            },
          },
        },
        headers: {
          type: 'object',
          properties: {
            'Sec-WebSocket-Protocol': {
              type: 'string',
              description: `\`${SUBPROTOCOL}, ticket.<ticket>\`; the server selects \`${SUBPROTOCOL}\`.`,
            },
          },
        },
        bindingVersion: '0.1.0',
      },
    },
  };
}

function broadcastChannel(): Fields {
  return {
    address: broadcastTopic('{job}'),
    title: 'The topic of a job',
    description:
      'Told each state of one job. The retained message is the newest state, or some seconds older; an empty message says that the job is gone.',
    servers: [{ $ref: '#/servers/broker' }],
    parameters: { job: { description: 'The id of the job that the ticket is for.' } },
    messages: { job: { $ref: '#/components/messages/job' } },
  };
}

function operations(): Fields {
  const received = Object.entries(CLIENT_MESSAGES).map(([type, { summary, answer }]) => [
    type,
    {
      action: 'receive',
      channel: { $ref: CHANNEL },
      summary,
      messages: [messageReference(type)],
      reply: { channel: { $ref: CHANNEL }, messages: [messageReference(answer), messageReference('error')] },
    },
  ]);
  const sent = ['job', 'bye'] as const;
  const told = sent.map((type) => [
    type,
    {
      action: 'send',
      channel: { $ref: CHANNEL },
      summary: SERVER_MESSAGES[type].summary,
      messages: [messageReference(type)],
    },
  ]);
  const broadcast = {
    action: 'send',
    channel: { $ref: BROADCAST },
    summary: 'The state of a job, once however many watch.',
    messages: [{ $ref: `${BROADCAST}/messages/job` }],
  };
  return { ...Object.fromEntries([...received, ...told]), broadcast };
}

function messageReference(type: string): Fields {
  return { $ref: `${CHANNEL}/messages/${type}` };
}

function messageEntry(
  type: string,
  { summary, description, schemas }: Message,
  examples: Readonly<Record<string, readonly unknown[]>>,
): readonly [string, Fields] {
  const [first, ...others] = schemas.map(schemaReference);
  return [
    type,
    {
      name: type,
      title: type,
      summary,
      description,
      contentType: 'application/json',
      payload: others.length === 0 ? first : { oneOf: [first, ...others] },
      examples: (examples[type] ?? []).map((payload) => ({ payload })),
    },
  ];
}
