import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import type { TicketScope } from '../../handlers/ports.ts';
import { parseServerFrame } from '../../protocol/frames.ts';
import { ProblemSchema } from '../../protocol/http.ts';
import { ANN, CONNECTION, jobId, SocketSetting, ticketFor } from '../handlers/socket/socket-setting.ts';

/** A socket function whose writes are counted; Ann has job 1, Bob job 2. */
async function fuzzed() {
  let writes = 0;
  const setting = new SocketSetting((own) => ({
    subscriptions: {
      add: async (row) => {
        writes += 1;
        // Only what the connection may see is ever watched.
        expect(row.topic).not.toBe(`job:${jobId(2)}`);
        await own.subscriptions.add(row);
      },
      remove: async (topic, connection) => {
        writes += 1;
        await own.subscriptions.remove(topic, connection);
      },
      removeConnection: (connection) => own.subscriptions.removeConnection(connection),
      has: (topic, connection) => own.subscriptions.has(topic, connection),
      count: async () => 0,
      confirm: (confirmation) => own.subscriptions.confirm(confirmation),
    },
    deliveries: {
      send: async (messages) => {
        writes += messages.length;
      },
    },
  }));
  await setting.createJob(1);
  await setting.createJob(2, { owner: 'bob' });
  return { setting, writes: () => writes };
}

const anything = fc.string({ unit: 'binary', maxLength: 80 });
const job = fc.oneof(fc.constant(jobId(1)), fc.constant(jobId(2)), anything);
const scope: fc.Arbitrary<TicketScope> = fc.constantFrom(ANN, ticketFor(1), {
  kind: 'owner',
  subject: 'eve',
});

/** Every one of them would be named in the answer, which must fit a frame. */
const MANY_WRONG = Object.fromEntries(Array.from({ length: 1_500 }, (_, index) => [`"wrong" ${index}`, 1]));

const nearlyRight = fc.record(
  {
    type: fc.oneof(
      fc.constantFrom('subscribe', 'unsubscribe', 'ping'),
      fc.constantFrom('job', 'bye', '__proto__'),
      anything,
    ),
    id: fc.oneof(fc.constant('x'), anything, fc.jsonValue()),
    job: fc.oneof(job, fc.jsonValue()),
    topic: fc.oneof(
      fc.constant('owner:me'),
      anything.map((tag) => `tag:${tag}`),
      fc.jsonValue(),
    ),
    since: fc.oneof(fc.record({ epoch: anything, seq: fc.double() }), fc.jsonValue()),
    heads: fc.oneof(fc.dictionary(job, fc.oneof(fc.nat(), fc.double())), fc.jsonValue()),
    more: fc.jsonValue(),
  },
  { requiredKeys: [] },
);
const frame = fc.oneof(
  anything,
  fc.json(),
  nearlyRight.map((value) => JSON.stringify(value)),
  // A frame with one target and a right id has the best chance to be one.
  fc
    .tuple(
      fc.constantFrom('subscribe', 'unsubscribe'),
      fc.oneof(
        job.map((id) => ({ job: id })),
        fc.constant({ topic: 'owner:me' }),
      ),
    )
    .map(([type, target]) => JSON.stringify({ type, id: 'x', ...target })),
  fc.dictionary(job, fc.nat()).map((heads) => JSON.stringify({ type: 'ping', heads })),
  fc.constantFrom('x'.repeat(33_000), JSON.stringify({ type: 'ping', id: 'x', heads: MANY_WRONG })),
);

test('whatever is sent, the answer is a frame of the contract, and a refusal has written nothing that stays', async () => {
  const { setting, writes } = await fuzzed();
  const seen = new Set<string>();
  await fc.assert(
    fc.asyncProperty(frame, scope, async (text, ticket) => {
      const before = writes();
      const posted = setting.posted().length;
      const answer = await setting.socket({ kind: 'frame', connection: CONNECTION, scope: ticket, text });
      expect(answer.statusCode).toBe(200);
      const said = parseServerFrame(answer.body ?? '');
      seen.add(said.type === 'error' ? said.error.code : said.type);
      if (said.type !== 'error') return;
      expect(said.error.code).not.toBe('internal');
      expect(writes()).toBe(before);
      expect(setting.posted().length).toBe(posted);
    }),
    { numRuns: 4_000 },
  );
  expect(setting.logged).toEqual([]);
  for (const frameOfMine of setting.posted()) {
    expect(frameOfMine).toMatchObject({ type: 'job', job: { id: jobId(1) } });
  }
  expect([...seen].sort()).toEqual([
    'bad-frame',
    'forbidden',
    'not-found',
    'pong',
    'subscribed',
    'too-large',
    'unknown-type',
    'unsubscribed',
  ]);
});

test('whatever is said at connect, it is accepted or refused with a problem, and a refusal has written nothing', async () => {
  const { setting, writes } = await fuzzed();
  const query = fc.record({ job, more: anything }, { requiredKeys: [] });
  const protocols = fc.array(fc.oneof(fc.constant('jobwire.v1'), anything), { maxLength: 4 });
  const seen = new Set<number>();
  await fc.assert(
    fc.asyncProperty(query, protocols, scope, async (asked, offered, ticket) => {
      const before = writes();
      const answer = await setting.connect({ query: asked, protocols: offered, scope: ticket });
      seen.add(answer.statusCode);
      if (answer.statusCode === 200) {
        const selected = answer.headers?.['Sec-WebSocket-Protocol'];
        expect(selected).toBe(offered.includes('jobwire.v1') ? 'jobwire.v1' : undefined);
        expect(writes() - before).toBe(asked.job === undefined ? 0 : 2);
        return;
      }
      expect(writes()).toBe(before);
      expect(v.parse(ProblemSchema, JSON.parse(answer.body ?? '')).status).toBe(answer.statusCode);
    }),
    { numRuns: 1_000 },
  );
  expect([...seen].sort()).toEqual([200, 400, 403]);
  expect(setting.logged).toEqual([]);
});
