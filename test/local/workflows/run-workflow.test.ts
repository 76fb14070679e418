import * as library from 'aws-local-stepfunctions';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { validate } from '../../../local/workflows/machine.ts';
import { PAYLOAD_LIMIT } from '../../../local/workflows/task-error.ts';
import { failure, type Gate, run, task } from './scripted-workflow.ts';

const CATCH = { Catch: [{ ErrorEquals: ['States.ALL'], ResultPath: '$.error', Next: 'Fail' }] };

/** One function, then a success; whatever goes wrong is told to the function `fail`. */
function caught(fields: object): object {
  return {
    StartAt: 'Work',
    States: {
      Work: task('work', { ...CATCH, ...fields, Next: 'Done' }),
      Done: { Type: 'Succeed' },
      Fail: task('fail', { Next: 'Failed' }),
      Failed: { Type: 'Fail', Error: 'Failed' },
    },
  };
}

/** A Map over `$.ranges` whose items go to the function `profile`. */
function mapping(fields: object = {}, taskFields: object = { End: true }): object {
  return {
    StartAt: 'Profile',
    States: {
      Profile: {
        Type: 'Map',
        ItemsPath: '$.ranges',
        ItemSelector: {
          'job.$': '$.job',
          'range.$': '$$.Map.Item.Value',
          'execution.$': '$$.Execution.Name',
        },
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Range',
          States: { Range: task('profile', taskFields) },
        },
        ...CATCH,
        ResultPath: null,
        Next: 'Merge',
        ...fields,
      },
      Merge: task('merge'),
      Fail: task('fail', { Next: 'Failed' }),
      Failed: { Type: 'Fail', Error: 'Failed' },
    },
  };
}

/** Lets everything that is due now happen. */
async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

beforeEach(() => {
  // The library's time-outs and pauses are timers of Node: hours of them pass in a moment.
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
});
afterEach(() => void vi.useRealTimers());

async function pass(seconds: number): Promise<void> {
  await settle();
  await vi.advanceTimersByTimeAsync(seconds * 1000);
  await settle();
}

describe('a workflow', () => {
  it('hands results on, chooses, and ends with the last output', async () => {
    const definition = {
      StartAt: 'Begin',
      States: {
        Begin: task('begin', { ResultPath: '$.begun', Next: 'Claimed?' }),
        'Claimed?': {
          Type: 'Choice',
          Choices: [{ Variable: '$.begun.outcome', StringEquals: 'drop', Next: 'Dropped' }],
          Default: 'Inspect',
        },
        Dropped: { Type: 'Succeed' },
        Inspect: task('inspect', {
          Parameters: { 'job.$': '$.job', 'execution.$': '$$.Execution.Name' },
          End: true,
        }),
      },
    };
    const execution = run(
      definition,
      (name) => (name === 'begin' ? { outcome: 'claimed' } : { ranges: [0] }),
      { job: '1' },
    );
    expect(await execution.end).toEqual({ status: 'SUCCEEDED', output: { ranges: [0] } });
    expect(execution.invocations).toEqual([
      'begin {"job":"1"}',
      'inspect {"job":"1","execution":"execution-1"}',
    ]);
    const dropped = run(definition, () => ({ outcome: 'drop' }), { job: '1' });
    expect(await dropped.end).toEqual({
      status: 'SUCCEEDED',
      output: { job: '1', begun: { outcome: 'drop' } },
    });
  });

  it('catches an error with its name and its cause as JSON text', async () => {
    const execution = run(caught({}), (name) => {
      if (name === 'work') throw failure('JobFailed', 'the sentence');
      return {};
    });
    expect(await execution.end).toEqual({ status: 'FAILED', error: 'Failed', cause: undefined });
    const Cause = JSON.stringify({ errorType: 'JobFailed', errorMessage: 'the sentence', trace: [] });
    expect(execution.invocations.at(-1)).toBe(
      `fail ${JSON.stringify({ error: { Error: 'JobFailed', Cause } })}`,
    );
  });

  it.each([
    ['Sandbox.Timedout', 'Sandbox.Timedout'],
    ['Runtime.ExitError', 'Runtime.ExitError'],
    ['Runtime.OutOfMemory', 'Runtime.OutOfMemory'],
    ['TooManyRequestsException', 'Lambda.TooManyRequestsException'],
    ['ServiceException', 'Lambda.ServiceException'],
  ])('calls %s as Step Functions does, %s', async (errorType, name) => {
    const definition = { StartAt: 'Work', States: { Work: task('work') } };
    const execution = run(definition, () => {
      throw failure(errorType, 'why');
    });
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: name });
  });

  it('retries at growing intervals, as often as it may', async () => {
    const Retry = [
      { ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 10, BackoffRate: 3, MaxAttempts: 2 },
    ];
    const execution = run(caught({ Retry }), (name) => {
      if (name === 'work') throw failure('Runtime.ExitError');
      return {};
    });
    const attempts: number[] = [];
    for (const seconds of [9, 2, 28, 2]) {
      await pass(seconds);
      attempts.push(execution.invocations.filter((line) => line.startsWith('work')).length);
    }
    expect(attempts).toEqual([1, 2, 2, 3]);
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: 'Failed' });
    expect(execution.lines).toEqual([
      'Work is tried again (1)',
      'Work is tried again (2)',
      'Work failed, goes on with Fail',
    ]);
  });

  it('takes a random part of the interval where jitter is full', async () => {
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    const Retry = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 100, JitterStrategy: 'FULL' }];
    const execution = run(caught({ Retry }), () => {
      if (execution.invocations.length === 1) throw failure('Error');
      return {};
    });
    await pass(49);
    expect(execution.invocations).toHaveLength(1);
    await pass(2);
    vi.restoreAllMocks();
    expect(await execution.end).toEqual({ status: 'SUCCEEDED', output: {} });
  });

  it('ends a state at its time-out and drops what the function says later', async () => {
    const late = Promise.withResolvers<unknown>();
    const execution = run(caught({ TimeoutSeconds: 900 }), (name) => (name === 'work' ? late.promise : {}));
    await pass(899);
    expect(execution.invocations).toHaveLength(1);
    await pass(2);
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: 'Failed' });
    expect(execution.invocations.at(-1)).toContain('"Error":"States.Timeout"');
    late.resolve({});
    await settle();
    expect(execution.invocations).toHaveLength(2);
  });

  it('gives a state without a time-out all the time it wants', async () => {
    const late = Promise.withResolvers<unknown>();
    const execution = run(caught({}), () => late.promise);
    await pass(86_400);
    late.resolve({ done: true });
    expect(await execution.end).toEqual({ status: 'SUCCEEDED', output: { done: true } });
  });

  it('ends at the time-out of the whole, which no Catch sees', async () => {
    const late = Promise.withResolvers<unknown>();
    const execution = run({ ...caught({}), TimeoutSeconds: 3600 }, () => late.promise);
    await pass(3601);
    expect(await execution.end).toEqual({ status: 'TIMED_OUT' });
    late.reject(failure('Error'));
    await settle();
    expect(execution.invocations).toHaveLength(1);
  });

  it('fails where a state gives or gets more than 262,144 bytes, which no Catch sees', async () => {
    const text = 'x'.repeat(PAYLOAD_LIMIT / 2);
    const given = run(caught({}), () => text + text);
    expect(await given.end).toEqual({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause: 'The result of the state Work is larger than 262144 bytes.',
    });
    const both = run(caught({ ResultPath: '$.result' }), () => text, { text });
    expect(await both.end).toMatchObject({ status: 'FAILED', error: 'States.DataLimitExceeded' });
    expect([...given.invocations, ...both.invocations].filter((line) => line.startsWith('fail'))).toEqual([]);
    expect(await run(caught({}), () => text).end).toEqual({ status: 'SUCCEEDED', output: text });
  });

  it('fails where the last state gives too much, whatever its kind, and where an item of a Map does', async () => {
    const text = 'x'.repeat(PAYLOAD_LIMIT / 2);
    const double = { Type: 'Pass', Parameters: { 'one.$': '$', 'two.$': '$' } };
    const tooMuch = (state: string) => ({
      status: 'FAILED',
      error: 'States.DataLimitExceeded',
      cause: `The output of the state ${state} is larger than 262144 bytes.`,
    });
    const last = { StartAt: 'Double', States: { Double: { ...double, End: true } } };
    expect(await run(last, undefined, text).end).toEqual(tooMuch('Double'));
    const kept = { StartAt: 'Work', States: { Work: task('work', { ResultPath: '$.result', End: true }) } };
    expect(await run(kept, () => text, { text }).end).toEqual(tooMuch('Work'));
    const cut = { Type: 'Pass', Result: {}, End: true };
    const between = { StartAt: 'Double', States: { Double: { ...double, Next: 'Cut' }, Cut: cut } };
    expect(await run(between, undefined, text).end).toEqual(tooMuch('Double'));

    const item = { StartAt: 'Range', States: { Range: { ...double, End: true } } };
    const execution = run(mapping({ ItemProcessor: item }), () => ({}), { job: text, ranges: [0] });
    expect(await execution.end).toEqual(tooMuch('Range'));
    expect(execution.invocations).toEqual([]);
  });

  it('counts the list of a Map once, which is part of its input', async () => {
    const ranges = ['x'.repeat(PAYLOAD_LIMIT * 0.9)];
    const ItemSelector = { 'range.$': '$$.Map.Item.Index' };
    const execution = run(mapping({ ItemSelector, ResultPath: '$.results' }), () => ({}), { ranges });
    expect(await execution.end).toMatchObject({ status: 'SUCCEEDED' });
  });

  it('starts nothing more once it is stopped: neither the next state nor a retry', async () => {
    const gate: Gate = Promise.withResolvers();
    const running = run(caught({}), () => gate.promise);
    await settle();
    running.stop();
    expect(await running.end).toEqual({ status: 'ABORTED' });
    gate.reject(failure('Error'));
    await settle();
    expect(running.invocations).toHaveLength(1);

    const Retry = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 60 }];
    const pausing = run(caught({ Retry }), () => {
      throw failure('Error');
    });
    await settle();
    pausing.stop();
    expect(await pausing.end).toEqual({ status: 'ABORTED' });
    await pass(120);
    expect(pausing.invocations).toHaveLength(1);
  });
});

describe('a Map', () => {
  it('makes the input of each item, holds its concurrency, and keeps the order of results', async () => {
    const gates = new Map<number, Gate>();
    const execution = run(
      mapping({ MaxConcurrency: 2, ResultPath: '$.results' }),
      (name, payload) => {
        if (name === 'merge') return payload;
        const { range } = payload as { range: number };
        const gate: Gate = Promise.withResolvers();
        gates.set(range, gate);
        return gate.promise;
      },
      { job: '1', ranges: [7, 8, 9] },
    );
    await settle();
    expect(execution.invocations).toEqual([
      'profile {"job":"1","range":7,"execution":"execution-1"}',
      'profile {"job":"1","range":8,"execution":"execution-1"}',
    ]);
    gates.get(8)?.resolve('eight');
    await settle();
    expect(execution.invocations.slice(2)).toEqual([
      'profile {"job":"1","range":9,"execution":"execution-1"}',
    ]);
    gates.get(9)?.resolve('nine');
    gates.get(7)?.resolve('seven');
    expect(await execution.end).toEqual({
      status: 'SUCCEEDED',
      output: { job: '1', ranges: [7, 8, 9], results: ['seven', 'eight', 'nine'] },
    });
  });

  it('takes the items themselves where there is no selector, and none at all', async () => {
    const { States, ...rest } = mapping() as { States: Record<string, Record<string, unknown>> };
    const { ItemSelector, ...profile } = States['Profile'] ?? {};
    const definition = { ...rest, States: { ...States, Profile: profile } };
    const execution = run(definition, () => ({}), { ranges: [{ from: 1 }] });
    expect(await execution.end).toMatchObject({ status: 'SUCCEEDED' });
    expect(execution.invocations).toEqual(['profile {"from":1}', 'merge {"ranges":[{"from":1}]}']);
    const empty = run(definition, () => ({}), { ranges: [] });
    expect(await empty.end).toMatchObject({ status: 'SUCCEEDED' });
    expect(empty.invocations).toEqual(['merge {"ranges":[]}']);
  });

  it('fails with the first item that fails, and starts none of those that wait', async () => {
    const gate: Gate = Promise.withResolvers();
    const execution = run(
      mapping({ MaxConcurrency: 2 }),
      async (name, payload) => {
        if (name === 'profile') {
          if ((payload as { range: number }).range === 1) throw failure('JobFailed', 'no');
          return await gate.promise;
        }
        // While the rest of the workflow goes on, the other item ends and leaves room for one more.
        gate.resolve({});
        await settle();
        return {};
      },
      { job: '1', ranges: [0, 1, 2, 3] },
    );
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: 'Failed' });
    expect(execution.invocations.map((line) => line.split(' ')[0])).toEqual(['profile', 'profile', 'fail']);
    expect(execution.invocations[2]).toContain('"Error":"JobFailed"');
  });

  it('retries an item by itself, and times it out by itself', async () => {
    const Retry = [{ ErrorEquals: ['Runtime.ExitError'], IntervalSeconds: 5, MaxAttempts: 1 }];
    let calls = 0;
    const execution = run(
      mapping({}, { Retry, TimeoutSeconds: 60, End: true }),
      (name, payload) => {
        if (name !== 'profile' || (payload as { range: number }).range === 0) return {};
        calls += 1;
        if (calls === 1) throw failure('Runtime.ExitError');
        return new Promise(() => undefined);
      },
      { job: '1', ranges: [0, 1] },
    );
    await pass(6);
    expect(calls).toBe(2);
    await pass(61);
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: 'Failed' });
    expect(execution.invocations.at(-1)).toContain('"Error":"States.Timeout"');
  });

  it('starts nothing more once the execution is stopped', async () => {
    const gate: Gate = Promise.withResolvers();
    const execution = run(mapping({ MaxConcurrency: 1 }), () => gate.promise, {
      job: '1',
      ranges: [0, 1, 2],
    });
    await settle();
    execution.stop();
    expect(await execution.end).toEqual({ status: 'ABORTED' });
    gate.resolve({});
    await settle();
    expect(execution.invocations).toHaveLength(1);
  });

  it('fails for good where there is no list', async () => {
    const execution = run(mapping(), () => ({}), { ranges: 'none' });
    expect(await execution.end).toMatchObject({ status: 'FAILED', error: 'States.Runtime' });
    expect(execution.invocations).toEqual([]);
  });
});

describe('a definition', () => {
  const machine = (states: object) => ({ StartAt: 'Work', States: states });
  it.each([
    [
      'of the SDK',
      machine({ Work: task('work', { Resource: 'arn:aws:states:::sqs:sendMessage', End: true }) }),
      /Work.Resource: only the ARN of a function/,
    ],
    ['in JSONata', { ...machine({ Work: task('work') }), QueryLanguage: 'JSONata' }, /QueryLanguage/],
    [
      'with heartbeats',
      machine({ Work: task('work', { HeartbeatSeconds: 5, End: true }) }),
      /HeartbeatSeconds/,
    ],
    ['with a distributed Map', mapping({ ItemReader: {} }), /ItemReader/],
    ['in parallel branches', machine({ Work: { Type: 'Parallel', Branches: [], End: true } }), /Work.Type/],
    [
      'with a path that is computed',
      machine({ Work: task('work', { ResultPath: '$.a[0]', End: true }) }),
      /only paths such as \$\.error/,
    ],
    [
      'of the state in the context',
      machine({ Work: task('work', { Parameters: { 'at.$': '$$.State.EnteredTime' }, End: true }) }),
      /Work refers to \$\$\.State\.EnteredTime/,
    ],
    [
      'of the execution in an item',
      mapping({ ItemSelector: { 'job.$': '$$.Execution.Input.job' } }),
      /Profile refers to \$\$\.Execution\.Input/,
    ],
  ])('%s is refused with the field', (_, definition, sentence) => {
    expect(() => run(definition)).toThrow(sentence);
  });

  it('is validated as Step Functions would', () => {
    expect(() => validate(library, mapping())).not.toThrow();
    const elsewhere = { StartAt: 'Begin', States: { Work: task('work') } };
    expect(() => validate(library, elsewhere)).toThrow(/MISSING_TRANSITION_TARGET/);
  });
});
