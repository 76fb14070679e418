import type { Connections, Jobs, Log, Now, Queue, Subscriptions, TicketScope } from '../ports.ts';
import type { Delivery } from '../queue-messages.ts';

/** What the socket function needs of the world. */
export interface SocketDependencies {
  readonly jobs: Pick<Jobs, 'read' | 'readMany'>;
  readonly subscriptions: Pick<
    Subscriptions,
    'add' | 'remove' | 'removeConnection' | 'has' | 'count' | 'confirm'
  >;
  readonly connections: Pick<Connections, 'post'>;
  readonly deliveries: Queue<Delivery>;
  readonly now: Now;
  readonly log: Log;
}

/** A client asks to connect; its ticket has passed the authorizer. */
export interface ConnectEvent {
  readonly kind: 'connect';
  readonly connection: string;
  readonly scope: TicketScope;
  readonly query: Readonly<Record<string, string>>;
  /** The subprotocols that it offers. */
  readonly protocols: readonly string[];
}

/** A text frame of a client. */
export interface FrameEvent {
  readonly kind: 'frame';
  readonly connection: string;
  readonly scope: TicketScope;
  readonly text: string;
}

/** A connection has ended; not every end is told (aws-facts 1.2). */
export interface DisconnectEvent {
  readonly kind: 'disconnect';
  readonly connection: string;
  readonly code?: number | undefined;
  readonly reason?: string | undefined;
}

/** What API Gateway tells the socket function. */
export type SocketEvent = ConnectEvent | FrameEvent | DisconnectEvent;

/** What it hears back: the outcome of `$connect`, or the frame that answers a frame. */
export interface SocketAnswer {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}
