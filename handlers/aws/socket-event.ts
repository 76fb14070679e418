import * as v from 'valibot';
import { TICKET_SUBPROTOCOL_PREFIX } from '../../protocol/frames.ts';
import { JobIdSchema } from '../../protocol/job.ts';
import { MalformedDataError } from '../errors.ts';
import type { TicketScope } from '../ports.ts';

/** What a WebSocket API tells a function (aws-facts 1.1). */
export type SocketEvent =
  | {
      readonly kind: 'connect';
      readonly connection: string;
      readonly scope: TicketScope;
      readonly query: Readonly<Record<string, string>>;
      /** The subprotocols that the client offers, in its order. */
      readonly protocols: readonly string[];
    }
  | {
      readonly kind: 'frame';
      readonly connection: string;
      readonly scope: TicketScope;
      readonly text: string;
      /** When API Gateway received it. */
      readonly at: Date;
    }
  | {
      readonly kind: 'disconnect';
      readonly connection: string;
      /** The close code; absent where API Gateway names none. */
      readonly code?: number;
      readonly reason?: string;
    };

const Texts = v.record(v.string(), v.string());

const ContextSchema = v.object({
  eventType: v.picklist(['CONNECT', 'MESSAGE', 'DISCONNECT']),
  connectionId: v.pipe(v.string(), v.minLength(1)),
  /** Milliseconds since the epoch. */
  requestTimeEpoch: v.number(),
  disconnectStatusCode: v.optional(v.number()),
  disconnectReason: v.optional(v.string()),
  authorizer: v.optional(v.unknown()),
});
const EventSchema = v.object({
  requestContext: ContextSchema,
  headers: v.optional(Texts, {}),
  queryStringParameters: v.nullish(Texts, {}),
  body: v.optional(v.string(), ''),
});

/** What `authorizerAllow` put there; API Gateway repeats it with every event of the connection. */
const ScopeSchema: v.GenericSchema<unknown, TicketScope> = v.variant('kind', [
  v.object({ kind: v.literal('job'), subject: v.string(), job: JobIdSchema }),
  v.object({ kind: v.literal('owner'), subject: v.string() }),
]);

/**
 * Reads an event of a route.
 * @throws MalformedDataError that names the fields, never their values; also where the authorizer's context
 *   is missing, because nothing may be done for a connection of unknown scope.
 */
export function readSocketEvent(event: unknown): SocketEvent {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) {
    const fields = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'the event').join(', ');
    throw new MalformedDataError(`The socket's event (${fields})`);
  }
  const { requestContext, headers, queryStringParameters, body } = parsed.output;
  const connection = requestContext.connectionId;
  switch (requestContext.eventType) {
    case 'CONNECT':
      return {
        kind: 'connect',
        connection,
        scope: readScope(requestContext.authorizer),
        query: queryStringParameters,
        protocols: protocolsOf(headers),
      };
    case 'MESSAGE':
      return {
        kind: 'frame',
        connection,
        scope: readScope(requestContext.authorizer),
        text: body,
        at: new Date(requestContext.requestTimeEpoch),
      };
    case 'DISCONNECT': {
      const { disconnectStatusCode: code, disconnectReason: reason } = requestContext;
      return {
        kind: 'disconnect',
        connection,
        ...(code === undefined ? {} : { code }),
        ...(reason === undefined ? {} : { reason }),
      };
    }
  }
}

/** What the authorizer of $connect is asked. */
export interface AuthorizerRequest {
  readonly methodArn: string;
  /** Absent where the client offered none. */
  readonly ticket?: string;
}

/** An answer that lets the client in (aws-facts 1.6: a policy, because WebSocket APIs know no other answer). */
export interface AuthorizerAllow {
  readonly principalId: string;
  readonly policyDocument: {
    readonly Version: '2012-10-17';
    readonly Statement: readonly [
      { readonly Action: 'execute-api:Invoke'; readonly Effect: 'Allow'; readonly Resource: string },
    ];
  };
  /** Flat, because API Gateway passes on no objects; comes with every event of the connection. */
  readonly context: Readonly<Record<string, string>>;
}

const AuthorizerEventSchema = v.object({
  methodArn: v.pipe(v.string(), v.minLength(1)),
  headers: v.nullish(Texts, {}),
  queryStringParameters: v.nullish(Texts, {}),
});

/**
 * Reads the event of a REQUEST authorizer. A browser offers the ticket as the subprotocol `ticket.<ticket>`,
 * a hand tool as `?ticket=<ticket>`; the subprotocol counts where both are there.
 * @throws MalformedDataError when it is not such an event.
 */
export function readAuthorizerRequest(event: unknown): AuthorizerRequest {
  const parsed = v.safeParse(AuthorizerEventSchema, event);
  if (!parsed.success) throw new MalformedDataError("The authorizer's event");
  const { methodArn, headers, queryStringParameters } = parsed.output;
  const offered = protocolsOf(headers).find((protocol) => protocol.startsWith(TICKET_SUBPROTOCOL_PREFIX));
  const ticket = offered?.slice(TICKET_SUBPROTOCOL_PREFIX.length) ?? queryStringParameters['ticket'];
  return ticket === undefined || ticket === '' ? { methodArn } : { methodArn, ticket };
}

/** The answer that lets a client in, with what its ticket allows. */
export function authorizerAllow(methodArn: string, scope: TicketScope): AuthorizerAllow {
  return {
    principalId: scope.subject,
    policyDocument: {
      Version: '2012-10-17',
      Statement: [{ Action: 'execute-api:Invoke', Effect: 'Allow', Resource: methodArn }],
    },
    context: { ...scope },
  };
}

/** The subprotocols of a handshake. The header keeps the client's casing (aws-facts 1.1). */
function protocolsOf(headers: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(headers)
    .filter(([name]) => name.toLowerCase() === 'sec-websocket-protocol')
    .flatMap(([, value]) => value.split(','))
    .map((protocol) => protocol.trim())
    .filter((protocol) => protocol !== '');
}

function readScope(context: unknown): TicketScope {
  const parsed = v.safeParse(ScopeSchema, context);
  if (!parsed.success) throw new MalformedDataError("The authorizer's context");
  return parsed.output;
}
