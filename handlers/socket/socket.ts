import {
  errorFrame,
  FrameError,
  parseClientFrame,
  type ServerFrame,
  serializeFrame,
} from '../../protocol/frames.ts';
import { UnavailableError } from '../errors.ts';
import { Confirmations } from './confirmations.ts';
import { connect, refusal } from './connect.ts';
import type { FrameEvent, SocketAnswer, SocketDependencies, SocketEvent } from './dependencies.ts';
import { disconnect } from './disconnect.ts';
import { ping } from './ping.ts';
import { subscribe } from './subscribe.ts';
import { unsubscribe } from './unsubscribe.ts';

/** When a client should repeat a request that failed because a service was not available, in milliseconds. */
const RETRY_AFTER_MILLISECONDS = 1_000;

/**
 * The longest detail of an error frame, in UTF-16 units: the parser's messages quote what the client sent, and the
 * answer to a frame of 32 KB must itself fit one.
 */
const MAXIMUM_DETAIL = 500;

/**
 * Makes the socket function: `$connect`, `$disconnect` and every frame. A frame is always answered with a frame:
 * what went wrong is said in an `error`, and the connection stands. Were the function to throw, API Gateway would
 * answer with a frame of its own that no client of the contract understands (aws-facts 1.4).
 */
export function createSocket(
  dependencies: SocketDependencies,
): (event: SocketEvent) => Promise<SocketAnswer> {
  const confirmations = new Confirmations(dependencies);
  return async (event) => {
    switch (event.kind) {
      case 'connect':
        return await connect(event, dependencies).catch((error: unknown) => {
          report('A connection could not be opened', event.connection, error, dependencies);
          return refusal('internal');
        });
      case 'disconnect':
        return await disconnect(event, dependencies);
      case 'frame':
        return { statusCode: 200, body: await answerFrame(event, dependencies, confirmations) };
    }
  };
}

async function answerFrame(
  event: FrameEvent,
  dependencies: SocketDependencies,
  confirmations: Confirmations,
): Promise<string> {
  let id: string | undefined;
  try {
    const frame = parseClientFrame(event.text);
    id = frame.id;
    return serializeFrame(await answerTo(frame, event, dependencies, confirmations));
  } catch (error) {
    if (error instanceof FrameError) {
      return serializeFrame(errorFrame(error.code, { id: error.id ?? id, detail: cut(error.message) }));
    }
    report('A frame could not be answered', event.connection, error, dependencies);
    const isPassing = error instanceof UnavailableError;
    return serializeFrame(
      errorFrame('internal', { id, ...(isPassing ? { retryAfterMs: RETRY_AFTER_MILLISECONDS } : {}) }),
    );
  }
}

function answerTo(
  frame: ReturnType<typeof parseClientFrame>,
  event: FrameEvent,
  dependencies: SocketDependencies,
  confirmations: Confirmations,
): Promise<ServerFrame> {
  switch (frame.type) {
    case 'subscribe':
      return subscribe(event, frame, dependencies);
    case 'unsubscribe':
      return unsubscribe(event, frame, dependencies);
    case 'ping':
      return ping(event, frame, dependencies, confirmations);
  }
}

function report(message: string, connection: string, error: unknown, { log }: SocketDependencies): void {
  if (error instanceof UnavailableError) log.warn(message, { connection, error });
  else log.error(message, { connection, error });
}

function cut(detail: string): string {
  return detail.length <= MAXIMUM_DETAIL ? detail : `${detail.slice(0, MAXIMUM_DETAIL)}…`;
}
