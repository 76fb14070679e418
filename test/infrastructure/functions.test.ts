import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { VARIABLES, type Variable } from '../../handlers/environment.ts';
import { DEFAULT_VARIANT, entriesOf } from '../../infrastructure/entries.ts';
import { FUNCTIONS, SynthesizedStack, UPLOADS_BUCKET } from './synthesized-stack.ts';

const ENTRIES = entriesOf(DEFAULT_VARIANT);
const stack = new SynthesizedStack();

/** The value of every variable of the default variant, whichever function has it. */
const VALUES: Readonly<Partial<Record<Variable, string>>> = {
  jobsTable: '<Jobs/Table>',
  jobsByOwnerIndex: 'by-owner',
  subscriptionsTable: '<Subscriptions/Table>',
  subscriptionsByConnectionIndex: 'by-connection',
  uploadsBucket: '<Uploads/Bucket>',
  resultsBucket: '<Results/Bucket>',
  deliveriesQueueUrl: '<Publishing/Deliveries/Queue>',
  broadcastsQueueUrl: '<Publishing/Broadcasts/Queue>',
  postsPerSecond: '5000',
  broadcastConcurrency: '5',
  workQueueUrl: '<Processing/Work/Queue>',
  deadlinesQueueUrl: '<Sweeping/Deadlines/Queue>',
  signingSecretArn: '<SigningSecret/Secret>',
  socketUrl: '<SocketApi/Api.ApiEndpoint>/v1',
  auth: 'open',
};

/** What an entry file asks `readEnvironment` for. */
function variablesOf(entry: string): Variable[] {
  const source = readFileSync(new URL(`../../${entry}`, import.meta.url), 'utf8');
  const [, names] = /\breadEnvironment\(\[([^\]]*)\]/.exec(source) ?? [];
  if (names === undefined) throw new Error(`${entry} does not call readEnvironment with a list`);
  return Array.from(names.matchAll(/'(\w+)'/g), ([, name]) => name as Variable); // the compiler checked the call
}

describe('functions', () => {
  it.each(FUNCTIONS)('%s has exactly the variables that its entry file reads', (name, path) => {
    // `object-created` is made before the bucket, and knows its name only.
    const values = name === 'objectCreated' ? { ...VALUES, uploadsBucket: UPLOADS_BUCKET } : VALUES;
    const expected = variablesOf(ENTRIES[name] ?? '').map((variable) => [
      VARIABLES[variable],
      values[variable] ?? 'a value that only another variant has',
    ]);
    const { Environment } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
    expect(stack.readable(Environment)).toEqual({ Variables: Object.fromEntries(expected) });
  });

  it.each(FUNCTIONS)(
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
    expect(groups.length).toBeGreaterThan(FUNCTIONS.length);
    for (const [path, { Properties }] of groups) expect(Properties['RetentionInDays'], path).toBe(30);
  });

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
});
