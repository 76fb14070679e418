import { describe, expect, test } from 'vitest';
import type { InvocationOutcome } from '../../../local/functions/invocation.ts';
import { ManualClock } from '../manual-clock.ts';
import { deploy, writeBundle } from './bundles.ts';

function payload(outcome: InvocationOutcome): unknown {
  if (outcome.kind === 'failed') throw new Error(`${outcome.error.errorType}: ${outcome.error.errorMessage}`);
  return outcome.payload;
}

function error(outcome: InvocationOutcome): { errorType: string; errorMessage: string } {
  if (outcome.kind === 'returned') throw new Error(`It returned ${JSON.stringify(outcome.payload)}`);
  return outcome.error;
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

describe('what the handler gets and gives', () => {
  test('event and result pass through JSON', async () => {
    const { deployed } = deploy(
      'export const handler = async (event) => ({ keys: Object.keys(event), at: new Date(0), none: undefined })',
    );
    const outcome = await deployed.invoke({ date: new Date(0), none: undefined, list: [undefined] });
    expect(payload(outcome)).toEqual({ keys: ['date', 'list'], at: '1970-01-01T00:00:00.000Z' });
  });

  test('a handler that returns nothing gives null', async () => {
    const { deployed } = deploy('export const handler = async () => {}');
    expect(payload(await deployed.invoke({}))).toBeNull();
  });

  test('only its own environment, with what Lambda sets', async () => {
    const { deployed } = deploy('export const handler = async () => process.env', {
      environment: {
        TABLE: 'jobs',
        AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
        AWS_LAMBDA_FUNCTION_NAME: 'forged',
      },
    });
    const environment = payload(await deployed.invoke({}));
    expect(environment).toMatchObject({
      TABLE: 'jobs',
      AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:1',
      AWS_LAMBDA_FUNCTION_NAME: 'process',
      AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '256',
      AWS_EXECUTION_ENV: 'AWS_Lambda_nodejs24.x',
      AWS_REGION: 'us-east-1',
    });
    expect(environment).not.toHaveProperty('HOME');
    expect(environment).not.toHaveProperty('VITEST');
  });

  test('the context object', async () => {
    const { deployed } = deploy(
      'export const handler = async (_, context) => ({ ...context, left: context.getRemainingTimeInMillis() })',
      { timeoutMs: 3_000 },
    );
    const outcome = await deployed.invoke({});
    expect(payload(outcome)).toMatchObject({
      awsRequestId: outcome.requestId,
      functionName: 'process',
      invokedFunctionArn: deployed.arn,
      memoryLimitInMB: '256',
    });
    const { left } = payload(outcome) as { left: number };
    expect(left).toBeGreaterThan(2_000);
    expect(left).toBeLessThanOrEqual(3_000);
  });

  test.each([
    ['index.js', 'module.exports.handler = async () => typeof require'],
    ['index.cjs', 'exports.handler = async () => typeof require'],
  ])('a CommonJS bundle in %s', async (fileName, code) => {
    const { deployed } = deploy('', { bundle: writeBundle(code, fileName) });
    expect(payload(await deployed.invoke({}))).toBe('function');
  });
});

describe('environments', () => {
  const counting =
    'let calls = 0; export const handler = async (event) => { calls += 1; await new Promise((done) => setTimeout(done, event.waitMs ?? 0)); return calls }';

  test('are used again while idle, and started cold while busy', async () => {
    const { deployed, reports } = deploy(counting);
    expect(payload(await deployed.invoke({}))).toBe(1);
    expect(payload(await deployed.invoke({}))).toBe(2);
    const both = await Promise.all([deployed.invoke({ waitMs: 30 }), deployed.invoke({})]);
    expect(both.map(payload)).toEqual([3, 1]);
    expect(reports.map(({ cold }) => cold).sort()).toEqual([false, false, true, true]);
  });

  test('beyond reserved concurrency an invocation is throttled', async () => {
    const { deployed } = deploy(counting, { maximumConcurrency: 1 });
    const [first, second] = await Promise.all([deployed.invoke({ waitMs: 20 }), deployed.invoke({})]);
    expect(payload(first)).toBe(1);
    expect(error(second).errorType).toBe('TooManyRequestsException');
  });

  test('beyond what the machine runs at once an invocation waits', async () => {
    const { deployed, reports } = deploy(counting, { environmentLimit: 2 });
    const outcomes = await Promise.all(Array.from({ length: 6 }, () => deployed.invoke({ waitMs: 5 })));
    expect(outcomes.map(payload)).toHaveLength(6);
    expect(reports.filter(({ cold }) => cold)).toHaveLength(2);
  });

  test('idle for five minutes they go', async () => {
    const clock = new ManualClock();
    const { deployed } = deploy(counting, { clock });
    expect(payload(await deployed.invoke({}))).toBe(1);
    clock.advance(5 * 60_000);
    expect(payload(await deployed.invoke({}))).toBe(1);
  });

  test('are frozen between two events: work that was not awaited stands still, and is named', async () => {
    const { deployed, lines } = deploy(
      `let doneAt = null;
       export const handler = async (event) => {
         if (event.start) setTimeout(() => { doneAt = Date.now() }, 200);
         else await new Promise((resolve) => setTimeout(resolve, 20));
         return doneAt;
       }`,
    );
    expect(payload(await deployed.invoke({ start: true }))).toBeNull();
    expect(lines.join('\n')).toContain('work was still under way (Timeout)');
    // A timer that was set later has come where it was awaited: this one is overdue.
    await deploy(counting).deployed.invoke({ waitMs: 200 });
    const thawedAt = Date.now();
    expect(payload(await deployed.invoke({}))).toBeGreaterThanOrEqual(thawedAt);
  });

  test('after a replacement new events go to the new code, running ones end in the old', async () => {
    const { deployed } = deploy(
      'export const handler = async () => { await new Promise((done) => setTimeout(done, 30)); return "old" }',
    );
    const running = deployed.invoke({});
    deployed.replace({
      bundle: writeBundle('export const handler = async () => "new " + process.env.EDITION'),
      handler: 'index.handler',
      environment: { EDITION: '2' },
      timeoutMs: 1_000,
      memoryMb: 128,
    });
    expect(payload(await deployed.invoke({}))).toBe('new 2');
    expect(payload(await running)).toBe('old');
    expect(payload(await deployed.invoke({}))).toBe('new 2');
  });

  test('closing lets what runs finish within its grace, and refuses what comes after', async () => {
    const { deployed } = deploy(counting);
    const running = deployed.invoke({ waitMs: 50 });
    await deployed.close(5_000);
    expect(payload(await running)).toBe(1);
    expect(error(await deployed.invoke({})).errorType).toBe('ServiceException');
  });

  test('closing ends what overstays its grace', async () => {
    const { deployed } = deploy(
      'export const handler = () => new Promise((done) => setTimeout(done, 60_000))',
    );
    const running = deployed.invoke({});
    await deployed.close(10);
    expect(error(await running).errorType).toBe('Runtime.ExitError');
  });
});

describe('what goes wrong', () => {
  test.each([
    ['a thrown error', 'export const handler = async () => { throw new TypeError("no") }', 'TypeError', 'no'],
    ['a thrown string', 'export const handler = async () => { throw "no" }', 'string', 'no'],
    [
      'a process that exits',
      'export const handler = async () => process.exit(3)',
      'Runtime.ExitError',
      'exit status 3',
    ],
    [
      'an unhandled rejection',
      'export const handler = async () => { Promise.reject(new TypeError("lost")); await new Promise((done) => setTimeout(done, 1000)) }',
      'Runtime.UnhandledPromiseRejection',
      'TypeError: lost',
    ],
    [
      'an uncaught exception',
      'export const handler = async () => { setTimeout(() => { throw new RangeError("late") }); await new Promise((done) => setTimeout(done, 1000)) }',
      'RangeError',
      'late',
    ],
    [
      'a promise that nothing settles',
      'export const handler = () => new Promise(() => {})',
      'Runtime.NodeJsExit',
      'event loop',
    ],
    ['a result that is no JSON', 'export const handler = async () => 1n', 'Error', 'Unable to stringify'],
    [
      'a result over 6 MB',
      'export const handler = async () => "x".repeat(6291557)',
      'Function.ResponseSizeTooLarge',
      '6291556',
    ],
    [
      'a callback handler',
      'export const handler = (event, context, callback) => callback()',
      'Runtime.CallbackHandlerDeprecated',
      'callback-based',
    ],
    ['no such export', 'export const other = 1', 'Runtime.HandlerNotFound', 'index.handler'],
    [
      'a missing import',
      'import "./nowhere.mjs"; export const handler = 1',
      'Runtime.ImportModuleError',
      'nowhere',
    ],
    ['a syntax error', 'export const handler = (', 'Runtime.UserCodeSyntaxError', 'SyntaxError'],
    ['an error while it loads', 'throw new RangeError("TABLE is not set")', 'RangeError', 'TABLE is not set'],
  ])('%s', async (_, code, errorType, message) => {
    const { deployed } = deploy(code);
    const failure = error(await deployed.invoke({}));
    expect(failure.errorType).toBe(errorType);
    expect(failure.errorMessage).toContain(message);
  });

  test('no bundle', async () => {
    const { deployed } = deploy('', { bundle: writeBundle('', 'other.mjs') });
    expect(error(await deployed.invoke({})).errorType).toBe('Runtime.ImportModuleError');
  });

  test.each([
    ['waits', 'await new Promise((done) => setTimeout(done, 60_000))'],
    ['spins', 'for (;;);'],
  ])('a handler that %s too long is ended, and the next event finds a new environment', async (_, body) => {
    const { deployed, reports } = deploy(
      `export const handler = async (event) => { if (event.hang) { ${body} } return 'fine' }`,
      { timeoutMs: 100 },
    );
    const failure = error(await deployed.invoke({ hang: true }));
    expect(failure.errorType).toBe('Sandbox.Timedout');
    expect(failure.errorMessage).toContain('Task timed out after 0.10 seconds');
    expect(payload(await deployed.invoke({}))).toBe('fine');
    expect(reports.map(({ cold }) => cold)).toEqual([true, true]);
  });

  test.each([
    ['objects', 'const all = []; for (let i = 0; ; i += 1) all.push({ i, text: String(i) })'],
    [
      'buffers',
      'const all = []; for (;;) { all.push(Buffer.alloc(4_000_000, 1)); await new Promise((done) => setTimeout(done, 1)) }',
    ],
  ])('too much memory in %s ends the environment, not the process', async (_, body) => {
    const { deployed } = deploy(`export const handler = async () => { ${body} }`, {
      memoryMb: 128,
      timeoutMs: 15_000,
    });
    expect(error(await deployed.invoke({})).errorType).toBe('Runtime.OutOfMemory');
  });

  test('an environment goes on after an error that the handler threw', async () => {
    const { deployed, reports } = deploy('export const handler = async () => { throw new Error("no") }');
    await deployed.invoke({});
    await deployed.invoke({});
    expect(reports.map(({ cold }) => cold)).toEqual([true, false]);
  });

  test('an event over 6 MB is refused', async () => {
    const { deployed } = deploy('export const handler = async () => 1');
    expect(error(await deployed.invoke('x'.repeat(6 * 1024 * 1024))).errorType).toBe(
      'RequestTooLargeException',
    );
  });
});

describe('what it says', () => {
  test('output is named and readable, before the summary line', async () => {
    const { deployed, lines } = deploy(
      `export const handler = async () => {
         console.log(JSON.stringify({ level: 'INFO', message: 'started', service: 'jobs', job: '01J' }));
         console.error('plain');
         process.stdout.write(JSON.stringify({ _aws: {}, service: 'jobs', Started: 1 }));
       }`,
    );
    const { requestId } = await deployed.invoke({});
    await until(() => lines.length >= 4);
    expect(lines.slice(0, 3)).toEqual([
      'process INFO started {"job":"01J"}',
      'process plain',
      'process METRIC Started=1',
    ]);
    expect(lines[3]).toMatch(
      new RegExp(`^process ${requestId.slice(0, 8)} [\\d.]+ ms cold \\(init \\d+ ms\\) \\d+ MB$`),
    );
  });

  test('the report knows the memory of the moment when most was in use', async () => {
    const { deployed, reports } = deploy(
      `export const handler = async (event) => {
         if (event.megabytes) { const held = Buffer.alloc(event.megabytes * 1024 * 1024, 1); await new Promise((done) => setTimeout(done, 150)); return held.length }
       }`,
    );
    await deployed.invoke({});
    await deployed.invoke({ megabytes: 100 });
    const [small, large] = reports.map(({ peakMemoryMb }) => peakMemoryMb);
    expect(small).toBeLessThan(40);
    expect(large).toBeGreaterThan(100);
    expect(large).toBeLessThan(160);
  });
});

test('a function that is killed in the middle says so, and starts anew', async () => {
  const { deployed } = deploy(
    'export const handler = async ({ wait }) => { if (wait) { console.log("waiting"); await new Promise(() => setTimeout(() => {}, 60_000)); } return "done" }',
    { log: (line) => line.endsWith('waiting') && waiting.resolve() },
  );
  const waiting = Promise.withResolvers<void>();
  expect(deployed.kill()).toBe(0);
  const running = deployed.invoke({ wait: true });
  await waiting.promise;
  expect(deployed.kill()).toBe(1);
  expect(error(await running).errorType).toBe('Runtime.ExitError');
  expect(payload(await deployed.invoke({}))).toBe('done');
  expect(deployed.kill()).toBe(0);
});
