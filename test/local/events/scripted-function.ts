import type { InvocationOutcome, InvokableFunction } from '../../../local/functions/invocation.ts';

/** A function without a bundle: what it answers is given by the test, what it got is kept. */
export class ScriptedFunction implements InvokableFunction {
  readonly name = 'publish';
  readonly arn = 'arn:aws:lambda:us-east-1:000000000000:function:publish';
  readonly events: unknown[] = [];
  readonly #answer: (event: unknown, call: number) => unknown;

  /** `answer` gives the payload, or throws: an Error's name is the error type. */
  constructor(answer: (event: unknown, call: number) => unknown = () => null) {
    this.#answer = answer;
  }

  async invoke(event: unknown): Promise<InvocationOutcome> {
    const copy: unknown = JSON.parse(JSON.stringify(event));
    this.events.push(copy);
    const requestId = `request-${this.events.length}`;
    try {
      return { kind: 'returned', requestId, payload: await this.#answer(copy, this.events.length) };
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      return {
        kind: 'failed',
        requestId,
        error: { errorType: error.name, errorMessage: error.message, trace: [] },
      };
    }
  }
}

/** The throttling error of Lambda, for `ScriptedFunction`. */
export function throttled(): Error {
  return Object.assign(new Error('Rate Exceeded.'), { name: 'TooManyRequestsException' });
}
