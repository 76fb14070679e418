import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIABLES, type Variable } from '../../handlers/environment.ts';
import { entriesOf, type FunctionName } from '../../infrastructure/entries.ts';
import { SynthesizedStack, UPLOADS_BUCKET } from './synthesized-stack.ts';
import { functionsOf, PROCESSING } from './variants.ts';

/** The value of every variable that processing decides on, whichever function has it. */
const VALUES: Readonly<Partial<Record<Variable, string>>> = {
  jobsTable: '<Jobs/Table>',
  jobsByOwnerIndex: 'by-owner',
  subscriptionsTable: '<Subscriptions/Table>',
  subscriptionsByConnectionIndex: 'by-connection',
  uploadsBucket: '<Uploads/Bucket>',
  resultsBucket: '<Results/Bucket>',
  deliveriesQueueUrl: '<Publishing/Deliveries/Queue>',
  broadcastsQueueUrl: '<Publishing/Broadcasts/Queue>',
  rangeMegabytes: '128',
  postsPerSecond: '5000',
  broadcastConcurrency: '5',
  workQueueUrl: '<Processing/Work/Queue>',
  stateMachineArn: '<Workflow/StateMachine/Machine>',
  workspaceBucket: '<Workspace/Bucket>',
  workspacePath: '/mnt/jobwire',
  deadlinesQueueUrl: '<Sweeping/Deadlines/Queue>',
  signingSecretArn: '<SigningSecret/Secret>',
  socketUrl: '<SocketApi/Api.ApiEndpoint>/v1',
  auth: 'open',
};

type Processing = (typeof PROCESSING)[number];

/** What an entry file reads: what it asks `readEnvironment` for, and the files of an execution. */
function variablesOf(name: FunctionName, processing: Processing): Variable[] {
  const entry = entriesOf({ processing: { by: processing }, broadcast: { by: 'none' } })[name];
  if (entry === undefined) throw new Error(`${processing} has no ${name}`);
  const source = readFileSync(new URL(`../../${entry}`, import.meta.url), 'utf8');
  const [, names] = /\breadEnvironment\(\[([^\]]*)\]/.exec(source) ?? [];
  if (names === undefined) throw new Error(`${entry} does not call readEnvironment with a list`);
  const shared = processing === 'step-functions-efs'; // then only `fetch` reads the bucket
  return [
    ...Array.from(names.matchAll(/'(\w+)'/g), ([, variable]) => variable as Variable), // the compiler checked the call
    ...(/(executionFiles|sharedFiles)\(\)/.test(source)
      ? ([shared ? 'workspacePath' : 'workspaceBucket'] as const)
      : []),
    ...(source.includes('uploadsOfEnvironment(') && (!shared || name === 'fetch')
      ? (['uploadsBucket'] as const)
      : []),
  ];
}

/** Those that are made before the bucket, and know its name only. */
const BEFORE_BUCKET: ReadonlySet<string> = new Set(['objectCreated', 'fetch', 'inspect', 'profile']);

describe.each(PROCESSING)('functions with %s', (processing) => {
  const stack = new SynthesizedStack({ processing });
  const functions = functionsOf({ processing });

  it.each(functions)('%s has exactly the variables that its entry file reads', (name, path) => {
    const values = BEFORE_BUCKET.has(name) ? { ...VALUES, uploadsBucket: UPLOADS_BUCKET } : VALUES;
    const expected = variablesOf(name, processing).map((variable) => [
      VARIABLES[variable],
      values[variable] ?? 'a value that only another variant has',
    ]);
    const { Environment } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
    expect(stack.readable(Environment)).toEqual({ Variables: Object.fromEntries(expected) });
  });

  it.each(functions)(
    '%s runs on Node 24, arm64, and logs to a group of its own for a month',
    (_name, path) => {
      const properties = stack.properties('AWS::Lambda::Function', `${path}/Function`);
      expect(properties).toMatchObject({
        Runtime: 'nodejs24.x',
        Architectures: ['arm64'],
        Handler: 'index.handler',
      });
      expect(stack.readable(properties['LoggingConfig'])).toEqual({ LogGroup: `<${path}/Log>` });
      expect(stack.properties('AWS::Logs::LogGroup', `${path}/Log`)).toEqual({ RetentionInDays: 30 });
      expect(stack.readable(properties['Role'])).toBe(`<${path}/Role.Arn>`);
    },
  );

  it('keeps every log for a month', () => {
    const groups = Object.entries(stack.ofType('AWS::Logs::LogGroup'));
    expect(groups.length).toBeGreaterThan(functions.length);
    for (const [path, { Properties }] of groups) expect(Properties['RetentionInDays'], path).toBe(30);
  });
});

describe('functions', () => {
  const stack = new SynthesizedStack();
  const workflow = new SynthesizedStack({ processing: 'step-functions-efs' });

  it.each([
    ['HttpApi/Handler', 512, 29],
    ['Uploaded/ObjectCreated', 512, 30],
    ['Processing/Process', 1769, 900],
    ['Publishing/Publish', 1024, 60],
    ['Publishing/Deliver', 512, 30],
    ['SocketRoutes/Authorize', 512, 10],
    ['SocketRoutes/Socket', 512, 28],
    ['Sweeping/Sweep', 512, 60],
  ])('%s has %i MB and %i s', (path, memory, timeout) => {
    expect(stack.properties('AWS::Lambda::Function', `${path}/Function`)).toMatchObject({
      MemorySize: memory,
      Timeout: timeout,
    });
  });

  it.each([
    ['Workflow/Begin', 512, 30],
    ['Workflow/Fetch', 1769, 900],
    ['Workflow/Inspect', 1769, 900],
    ['Workflow/Profile', 1769, 900],
    ['Workflow/Merge', 1769, 900],
    ['Workflow/Fail', 512, 120],
  ])('%s has %i MB and %i s', (path, memory, timeout) => {
    expect(workflow.properties('AWS::Lambda::Function', `${path}/Function`)).toMatchObject({
      MemorySize: memory,
      Timeout: timeout,
    });
  });
});
