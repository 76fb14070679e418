import { expect, test } from 'vitest';
import {
  AsynchronousInvocation,
  type AsynchronousInvocationSettings,
} from '../../../local/events/asynchronous-invocation.ts';
import { ManualClock } from '../manual-clock.ts';
import { ImpatientClock } from './impatient-clock.ts';
import { ScriptedFunction, throttled } from './scripted-function.ts';

interface Sent {
  readonly failures: unknown[];
  readonly successes: unknown[];
  readonly deadLetters: unknown[];
}

/** Runs one event to its end, with time that jumps. */
async function run(
  answer: (event: unknown, call: number) => unknown,
  settings: Partial<AsynchronousInvocationSettings> = {},
): Promise<Sent & { readonly calls: number; readonly tookMs: number }> {
  const clock = new ImpatientClock();
  const startedAt = clock.now();
  const sent: Sent = { failures: [], successes: [], deadLetters: [] };
  const done = Promise.withResolvers<void>();
  const target = new ScriptedFunction(answer);
  const invocation = new AsynchronousInvocation({
    target,
    clock,
    sendToOnFailure: async (body) => void sent.failures.push(JSON.parse(body)),
    sendToOnSuccess: async (body) => {
      sent.successes.push(JSON.parse(body));
      done.resolve();
    },
    sendToDeadLetterQueue: async (body, attributes) => {
      sent.deadLetters.push({ event: JSON.parse(body), attributes });
      done.resolve();
    },
    log: () => {},
    ...settings,
  });
  invocation.accept({ n: 1 });
  await done.promise;
  await invocation.close();
  return { ...sent, calls: target.events.length, tookMs: clock.now() - startedAt };
}

function failing(): never {
  throw new RangeError('no');
}

test('a function error is retried after one minute and after two, then given up', async () => {
  const { calls, tookMs, failures, deadLetters } = await run(failing);
  expect({ calls, tookMs }).toEqual({ calls: 3, tookMs: 180_000 });
  expect(failures).toEqual([
    {
      version: '1.0',
      timestamp: '2026-11-23T12:03:00.000Z',
      requestContext: {
        requestId: 'request-3',
        functionArn: 'arn:aws:lambda:us-east-1:000000000000:function:publish:$LATEST',
        condition: 'RetriesExhausted',
        approximateInvokeCount: 3,
      },
      requestPayload: { n: 1 },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      responsePayload: { errorType: 'RangeError', errorMessage: 'no', trace: [] },
    },
  ]);
  expect(deadLetters).toEqual([
    { event: { n: 1 }, attributes: { RequestID: 'request-3', ErrorCode: '200', ErrorMessage: 'no' } },
  ]);
});

test('a retry that succeeds is a success', async () => {
  const { calls, tookMs, successes, failures } = await run((_, call) => (call === 1 ? failing() : 'fine'));
  expect({ calls, tookMs, failures }).toEqual({ calls: 2, tookMs: 60_000, failures: [] });
  expect(successes).toMatchObject([{ requestContext: { condition: 'Success' }, responsePayload: 'fine' }]);
});

test('MaximumRetryAttempts 0', async () => {
  const { calls, tookMs } = await run(failing, { maximumRetryAttempts: 0 });
  expect({ calls, tookMs }).toEqual({ calls: 1, tookMs: 0 });
});

test('an event that would be too old at its retry is given up', async () => {
  const { calls, failures } = await run(failing, { maximumEventAgeInSeconds: 60 });
  expect(calls).toBe(2);
  expect(failures).toMatchObject([{ requestContext: { condition: 'EventAgeExceeded' } }]);
});

test('throttles are no attempts', async () => {
  const { calls, successes } = await run((_, call) => {
    if (call < 9) throw throttled();
    return 'fine';
  });
  expect(calls).toBe(9);
  expect(successes).toMatchObject([{ requestContext: { approximateInvokeCount: 1 } }]);
});

test('closing says what it loses, and leaves no timer', async () => {
  const clock = new ManualClock();
  const lines: string[] = [];
  const target = new ScriptedFunction(failing);
  const invocation = new AsynchronousInvocation({ target, clock, log: (line) => lines.push(line) });
  invocation.accept({});
  await invocation.close();
  expect(target.events).toHaveLength(1);
  expect(lines.at(-1)).toContain('lost');
  expect(clock.pending).toBe(0);
});
