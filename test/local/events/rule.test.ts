import { expect, test } from 'vitest';
import { InvalidPatternError } from '../../../local/events/invalid-pattern-error.ts';
import { buildObjectCreatedEvent } from '../../../local/events/object-created-event.ts';
import { type BusEvent, Rule, type RuleTarget } from '../../../local/events/rule.ts';
import type { ObjectCreated } from '../../../local/services/s3-object-created.ts';
import { ImpatientClock } from './impatient-clock.ts';

const uploaded: ObjectCreated = {
  bucket: 'uploads',
  key: 'jobs/01J/ä b+c.csv',
  size: 12,
  etag: '0cc175b9c0f1b6a831c399e269772661',
  reason: 'POST Object',
  requester: '000000000000',
  sourceIp: '127.0.0.1',
  sequencer: '0019AB3F0A52C00000',
  requestId: 'C3D13FE58DE4C810',
  time: Date.UTC(2026, 10, 23, 12, 0, 0, 123),
};

const pattern = {
  source: ['aws.s3'],
  'detail-type': ['Object Created'],
  detail: { bucket: { name: ['uploads'] }, object: { key: [{ prefix: 'jobs/' }] } },
};

function rule(target: Partial<RuleTarget>, clock = new ImpatientClock()): Rule {
  return new Rule({
    arn: 'arn:aws:events:us-east-1:000000000000:rule/uploads',
    eventPattern: pattern,
    targets: [{ id: 'Target0', arn: 'arn:target', deliver: () => {}, ...target }],
    clock,
    log: () => {},
  });
}

test('the event of a new object has the fields of S3', () => {
  expect(buildObjectCreatedEvent(uploaded)).toEqual({
    version: '0',
    id: expect.stringMatching(/^[0-9a-f-]{36}$/),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: '000000000000',
    time: '2026-11-23T12:00:00Z',
    region: 'us-east-1',
    resources: ['arn:aws:s3:::uploads'],
    detail: {
      version: '0',
      bucket: { name: 'uploads' },
      object: {
        key: 'jobs/01J/ä b+c.csv',
        size: 12,
        etag: '0cc175b9c0f1b6a831c399e269772661',
        sequencer: '0019AB3F0A52C00000',
      },
      'request-id': 'C3D13FE58DE4C810',
      requester: '000000000000',
      'source-ip-address': '127.0.0.1',
      reason: 'POST Object',
    },
  });
});

test('matching events go to the target, others do not', async () => {
  const delivered: BusEvent[] = [];
  const uploads = rule({ deliver: (event) => void delivered.push(event) });
  const event = buildObjectCreatedEvent(uploaded);
  expect(uploads.accept(event)).toBe(true);
  expect(uploads.accept(buildObjectCreatedEvent({ ...uploaded, key: 'results/1' }))).toBe(false);
  await uploads.close();
  expect(delivered).toEqual([event]);
});

test('a target that does not take an event is tried again, then the dead-letter queue gets it', async () => {
  let tries = 0;
  const dead = Promise.withResolvers<{ body: string; attributes: Readonly<Record<string, string>> }>();
  const uploads = rule({
    deliver: async () => {
      tries += 1;
      throw new RangeError('full');
    },
    maximumRetryAttempts: 2,
    sendToDeadLetterQueue: async (body, attributes) => dead.resolve({ body, attributes }),
  });
  const event = buildObjectCreatedEvent(uploaded);
  uploads.accept(event);
  const { body, attributes } = await dead.promise;
  expect(tries).toBe(3);
  expect(JSON.parse(body)).toEqual(event);
  expect(attributes).toEqual({
    RULE_ARN: 'arn:aws:events:us-east-1:000000000000:rule/uploads',
    TARGET_ARN: 'arn:target',
    ERROR_CODE: 'RangeError',
    ERROR_MESSAGE: 'full',
    EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
    RETRY_ATTEMPTS: '2',
  });
  await uploads.close();
});

test('an event that grows too old goes to the dead-letter queue', async () => {
  const dead = Promise.withResolvers<Readonly<Record<string, string>>>();
  const uploads = rule({
    deliver: () => Promise.reject(new Error('full')),
    maximumEventAgeInSeconds: 60,
    sendToDeadLetterQueue: async (_, attributes) => dead.resolve(attributes),
  });
  uploads.accept(buildObjectCreatedEvent(uploaded));
  expect(await dead.promise).toMatchObject({ EXHAUSTED_RETRY_CONDITION: 'MaximumEventAgeInSeconds' });
  await uploads.close();
});

test('a bad pattern is refused', () => {
  const build = () => new Rule({ arn: 'arn:rule', eventPattern: { a: 'b' }, targets: [], log: () => {} });
  expect(build).toThrow(InvalidPatternError);
});
