import { readFileSync } from 'node:fs';
import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Flow, type FlowRequests, REQUESTS } from '../../bench/cost/requests.ts';
import { UnavailableError } from '../../handlers/errors.ts';
import type { JobRecord } from '../../handlers/ports.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { CountedRequests } from './counted-requests.ts';
import { BODY, PAYLOAD, RequestWorld } from './request-world.ts';

const counted = new CountedRequests();
let database: DynamoDbLocal;
let client: DynamoDBClient;

beforeAll(async () => {
  database = await startDynamoDbLocal();
  client = counted.dynamoDb(database.endpoint);
});
afterAll(async () => {
  client.destroy();
  await database.close();
});

/** Prepares a flow; answers what is measured. */
type Prepare = (world: RequestWorld) => Promise<() => Promise<unknown>>;

const KEY = { 'idempotency-key': 'a-key-that-comes-again' };
const MULTIPART = { upload: 'multipart', size: 9_000_000 };

function times<Result>(count: number, make: (index: number) => Promise<Result>): Promise<Result[]> {
  return Promise.all(Array.from({ length: count }, (_, index) => make(index)));
}

function topicOf({ job }: JobRecord) {
  return `job:${job.id}` as const;
}

/** Pings with the head that the client has: that many behind the newest. */
function ping(world: RequestWorld, { job }: JobRecord, behind = 0): Promise<void> {
  return world.send({ type: 'ping', heads: { [job.id]: job.seq - behind } });
}

/** What a job says so many changes later. */
function laterState(record: JobRecord, changes: number): JobRecord {
  return { ...record, job: { ...record.job, seq: record.job.seq + changes } };
}

/** A job with one watcher more than an execution posts to: a portion, and a quarter of one. */
async function largeAudience(world: RequestWorld): Promise<JobRecord> {
  const record = await world.running();
  world.portion = 10;
  await world.watch(topicOf(record), 13);
  return record;
}

type StepName = Parameters<RequestWorld['step']>[1];

/** A step of the workflow, after others. */
async function stepOf(
  world: RequestWorld,
  step: StepName,
  before: readonly StepName[],
): Promise<() => Promise<unknown>> {
  const record = await world.queued();
  for (const name of before) await world.step(record, name);
  return () => world.step(record, step);
}

const FLOWS: Readonly<Record<Flow, Prepare>> = {
  'POST /jobs': async (world) => () => world.call('POST', '/jobs', BODY),
  'POST /jobs, by a form': async (world) => () => world.call('POST', '/jobs', { ...BODY, upload: 'post' }),
  'POST /jobs, in parts': async (world) => () => world.call('POST', '/jobs', { ...BODY, ...MULTIPART }),
  'POST /jobs with a new key': async (world) => () => world.call('POST', '/jobs', BODY, KEY),
  'POST /jobs with a known key': async (world) => {
    await world.call('POST', '/jobs', BODY, KEY);
    return () => world.call('POST', '/jobs', BODY, KEY);
  },
  'GET /jobs/{id}': async (world) => {
    const { job } = await world.running();
    return () => world.call('GET', `/jobs/${job.id}`);
  },
  'GET /jobs/{id}, held 2 s': async (world) => {
    const { job } = await world.running();
    const headers = { 'if-none-match': `"${job.epoch}.${job.seq}"`, prefer: 'wait=2' };
    return () => world.call('GET', `/jobs/${job.id}`, undefined, headers);
  },
  'GET /jobs, 20 jobs': async (world) => {
    await times(20, () => world.create());
    return () => world.call('GET', '/jobs?limit=20');
  },
  'POST /jobs/{id}/tickets': async (world) => {
    const { job } = await world.create();
    return () => world.call('POST', `/jobs/${job.id}/tickets`);
  },
  'POST /tickets': async (world) => () => world.call('POST', '/tickets'),
  'POST /jobs/{id}/cancel': async (world) => {
    const { job } = await world.running();
    return () => world.call('POST', `/jobs/${job.id}/cancel`);
  },
  'GET /jobs/{id}/upload, in parts': async (world) => {
    const { job } = await world.create(MULTIPART);
    return () => world.call('GET', `/jobs/${job.id}/upload`);
  },
  'POST /jobs/{id}/upload/progress': async (world) => {
    const { job } = await world.create();
    return () => world.call('POST', `/jobs/${job.id}/upload/progress`, { sent: 3 });
  },
  'POST /jobs/{id}/upload/progress, within a second': async (world) => {
    const { job } = await world.create();
    await world.call('POST', `/jobs/${job.id}/upload/progress`, { sent: 3 });
    return () => world.call('POST', `/jobs/${job.id}/upload/progress`, { sent: 4 });
  },
  'POST /jobs/{id}/upload/complete': async (world) => {
    const record = await world.create(MULTIPART);
    const sizes = [8 * 1024 ** 2, MULTIPART.size - 8 * 1024 ** 2];
    const parts = sizes.map((size, index) => {
      const { partNumber, etag } = world.uploads.putPart(record, index + 1, new Uint8Array(size));
      return { partNumber, etag };
    });
    return () => world.call('POST', `/jobs/${record.job.id}/upload/complete`, { parts });
  },
  'GET /jobs/{id}/result': async (world) => {
    const record = await world.queued();
    await world.work(record);
    return () => world.call('GET', `/jobs/${record.job.id}/result`);
  },
  'GET /jobs/{id}/watchers, 10 watchers': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 10);
    for (let number = 0; number < 10; number += 1) {
      const heads = { [record.job.id]: record.job.seq };
      await world.send({ type: 'ping', heads }, world.ownerScope, world.connection(number));
    }
    return () => world.call('GET', `/jobs/${record.job.id}/watchers`);
  },
  'an upload arrives': async (world) => {
    const record = await world.create();
    world.uploads.put(record, PAYLOAD);
    return () => world.arrive(record);
  },
  'work begins': async (world) => {
    const record = await world.queued();
    return async () => {
      let begun: FlowRequests | undefined;
      await world.work(record, {
        begun: () => {
          begun = counted.take();
        },
      });
      return begun;
    };
  },
  'work reports progress': async (world) => {
    const record = await world.running();
    return () => world.report(record);
  },
  'work looks whether it was cancelled': async (world) => {
    const record = await world.running();
    return () => world.look(record);
  },
  'work succeeds': async (world) => {
    const record = await world.queued();
    return () => world.work(record, { ending: () => void counted.take() });
  },
  'an upload arrives, for a workflow': async (world) => {
    const record = await world.create();
    world.uploads.put(record, PAYLOAD);
    return () => world.arrive(record, 'workflow');
  },
  'a workflow begins': (world) => stepOf(world, 'begin', []),
  'a workflow inspects': (world) => stepOf(world, 'inspect', ['begin']),
  'a workflow profiles a range': (world) => stepOf(world, 'profile', ['begin', 'inspect']),
  'a workflow merges': (world) => stepOf(world, 'merge', ['begin', 'inspect', 'profile']),
  'a workflow fails': (world) => stepOf(world, 'fail', ['begin', 'inspect', 'profile']),
  'POST /jobs/{id}/cancel, of a workflow': async (world) => {
    const { job } = await world.running();
    world.withWorkflow();
    return () => world.call('POST', `/jobs/${job.id}/cancel`);
  },
  'a deadline is looked at': async (world) => {
    const record = await world.running();
    return () => world.sweep(record);
  },
  'a deadline has passed': async (world) => {
    const record = await world.create();
    world.advance(24 * 3_600_000);
    return () => world.sweep(record);
  },
  $connect: async (world) => () => world.connect(),
  '$connect?job=': async (world) => {
    const { job } = await world.create();
    return () => world.connect({ job: job.id });
  },
  'subscribe to a job, by its ticket': async (world) => {
    const record = await world.create();
    const frame = { type: 'subscribe', id: 's', job: record.job.id };
    return () => world.send(frame, world.scopeOf(record));
  },
  'subscribe to a job, by an owner’s ticket': async (world) => {
    const { job } = await world.create();
    return () => world.send({ type: 'subscribe', id: 's', job: job.id });
  },
  'subscribe to a topic': async (world) => () =>
    world.send({ type: 'subscribe', id: 's', topic: 'owner:me' }),
  unsubscribe: async (world) => {
    const record = await world.create();
    await world.watch(topicOf(record), 1);
    return () => world.send({ type: 'unsubscribe', id: 'u', job: record.job.id });
  },
  'ping, nothing new': async (world) => {
    const record = await world.running();
    await ping(world, record);
    return () => ping(world, record);
  },
  'ping, the first': async (world) => {
    const record = await world.running();
    return () => ping(world, record);
  },
  'ping, a newer head': async (world) => {
    const record = await world.running();
    world.connections.open(world.connection());
    await ping(world, record, 1);
    return () => ping(world, record);
  },
  'ping, nothing new, in another execution environment': async (world) => {
    const record = await world.running();
    await ping(world, record);
    world.restartSocket();
    return () => ping(world, record);
  },
  'ping, a frame was missed': async (world) => {
    const record = await world.running();
    world.connections.open(world.connection());
    await ping(world, record, 2);
    return () => ping(world, record, 1);
  },
  '$disconnect, nothing watched': async (world) => () => world.disconnect(),
  '$disconnect, 1 job watched': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 1);
    await ping(world, record);
    return () => world.disconnect();
  },
  '$disconnect, 10 jobs watched': async (world) => {
    const records = await times(10, () => world.create());
    for (const record of records) await world.watch(topicOf(record), 1);
    await world.send({
      type: 'ping',
      heads: Object.fromEntries(records.map(({ job }) => [job.id, job.seq])),
    });
    return () => world.disconnect();
  },
  'publish a change, nobody watches': async (world) => {
    const record = await world.running();
    return () => world.publish(record);
  },
  'publish a change, 1 watcher': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 1);
    return () => world.publish(record);
  },
  'publish a change, 10 watchers': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 10);
    return () => world.publish(record);
  },
  'publish 10 changes of a job in one batch, 1 watcher': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 1);
    const states = Array.from({ length: 10 }, (_, index) => laterState(record, index));
    return () => world.publish(...states);
  },
  'publish a batch of 10 jobs of one owner, 1 watcher each': async (world) => {
    const records = await times(10, () => world.create());
    for (const [index, record] of records.entries()) await world.watch(topicOf(record), 1, index);
    return () => world.publish(...records);
  },
  'publish to a connection that is gone': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 1);
    world.connections.close(world.connection());
    return () => world.publish(record);
  },
  'publish while API Gateway throttles, 10 watchers': async (world) => {
    const record = await world.running();
    await world.watch(topicOf(record), 10);
    for (let number = 0; number < 10; number += 1) {
      world.connections.failNext(world.connection(number), new UnavailableError('API Gateway'));
    }
    return () => world.publish(record);
  },
  'announce a change to a large audience': async (world) => {
    const record = await largeAudience(world);
    return () => world.publish(record);
  },
  'announce another change during its round': async (world) => {
    const record = await largeAudience(world);
    await world.publish(record);
    return () => world.publish(laterState(record, 1));
  },
  'announce one more': async (world) => {
    const record = await largeAudience(world);
    await world.publish(record);
    await world.publish(laterState(record, 1));
    return () => world.publish(laterState(record, 2));
  },
  'tell the first range of a large audience': async (world) => {
    await world.publish(await largeAudience(world));
    return () => world.broadcast();
  },
  'tell another range of it': async (world) => {
    await world.publish(await largeAudience(world));
    await world.broadcast();
    return () => world.broadcast();
  },
  'deliver a batch of 10, one job': async (world) => {
    const { job } = await world.running();
    const deliveries = Array.from({ length: 10 }, (_, number) => {
      world.connections.open(world.connection(number));
      return { job: job.id, connection: world.connection(number), attempt: 0 };
    });
    return () => world.deliver(...deliveries);
  },
};

function isCount(part: unknown): part is FlowRequests {
  return part instanceof Object && 'requests' in part;
}

/** Each row: flow, requests, read units, write units, why. */
function tableOf(document: string): readonly (readonly string[])[] {
  const text = readFileSync(new URL(`../../${document}`, import.meta.url), 'utf8');
  const [, section = ''] = /^## Reads and writes$(.*?)^## /ms.exec(text) ?? [];
  const rows = section.split('\n').filter((line) => line.startsWith('| '));
  return rows.slice(2).map((row) =>
    row
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
}

function written({ requests, readUnits, writeUnits }: FlowRequests): readonly string[] {
  const each = Object.entries(requests).map(([name, count]) => (count === 1 ? name : `${count} × ${name}`));
  return [each.length === 0 ? 'none' : each.join(', '), String(readUnits), String(writeUnits)];
}

describe('the table in ARCHITECTURE.md', () => {
  const rows = tableOf('ARCHITECTURE.md');

  it('says of every flow what the budget says', () => {
    const said = rows.map(([flow = '', ...cells]) => [flow.replaceAll('`', ''), cells.slice(0, 3)]);
    expect(said).toEqual(Object.entries(REQUESTS).map(([flow, requests]) => [flow, written(requests)]));
  });

  it('says why', () => {
    const silent = rows.filter((cells) => (cells[4] ?? '').length < 10);
    expect(silent).toEqual([]);
  });
});

describe('a flow asks of AWS what its budget says, no more and no less:', () => {
  it.each(Object.entries(FLOWS))('%s', async (flow, prepare) => {
    const measure = await prepare(new RequestWorld(database, counted, client));
    counted.take();
    const part = await measure();
    const asked = isCount(part) ? part : counted.take();
    expect(asked).toEqual(REQUESTS[flow as Flow]); // Object.entries forgets the type of its keys
  });
});
