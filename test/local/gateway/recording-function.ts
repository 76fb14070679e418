import { EventEmitter, once } from 'node:events';
import type { InvocationOutcome, InvokableFunction } from '../../../local/functions/invocation.ts';

/** What a recording function does with an event: its return value is the payload, what it throws the error. */
export type Respond = (event: never) => unknown;

/** A function that keeps the events that it was invoked with, as JSON would have carried them. */
export class RecordingFunction<Event = unknown> implements InvokableFunction {
  readonly name: string;
  readonly arn: string;
  readonly events: Event[] = [];
  readonly #invoked = new EventEmitter();
  readonly #respond: Respond;

  constructor(name: string, respond: Respond = () => ({ statusCode: 200 })) {
    this.name = name;
    this.arn = `arn:aws:lambda:us-east-1:000000000000:function:${name}`;
    this.#respond = respond;
  }

  async invoke(event: unknown): Promise<InvocationOutcome> {
    // The test that names the Event type vouches for it by its assertions.
    const copy = JSON.parse(JSON.stringify(event)) as Event;
    this.events.push(copy);
    this.#invoked.emit('invoked');
    try {
      const payload: unknown = await this.#respond(copy as never);
      return { kind: 'returned', requestId: 'request', payload };
    } catch (error) {
      const { name: errorType, message: errorMessage } = error as Error;
      return { kind: 'failed', requestId: 'request', error: { errorType, errorMessage, trace: [] } };
    }
  }

  /** Resolves to the event of the given number (from 1) once the function was invoked so often. */
  async event(number = 1): Promise<Event> {
    while (this.events.length < number) await once(this.#invoked, 'invoked');
    return this.events[number - 1] as Event;
  }
}

/** A promise with its ends outside, for functions that a test lets return when it wants. */
export interface Gate<Value> {
  readonly promise: Promise<Value>;
  open(value: Value): void;
}

/** Makes a gate. */
export function gate<Value = void>(): Gate<Value> {
  const { promise, resolve } = Promise.withResolvers<Value>();
  return { promise, open: resolve };
}
