import { randomUUID } from 'node:crypto';
import { DeleteItemCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { parseServerFrame } from '../../protocol/frames.ts';
import type { CreatedJob } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import { createJob, takeTicket, terminalJob, upload } from './http-calls.ts';
import { MqttSubscription } from './mqtt-command.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';

const CITIES = 'city,people\nOslo,709037\nBergen,289330\n';

let jobwire: RunningJobwire;
const subscriptions: MqttSubscription[] = [];
beforeAll(async () => {
  jobwire = await startJobwire({ broadcast: 'iot-core' });
});
afterEach(() => {
  for (const subscription of subscriptions.splice(0)) subscription.stop();
});
afterAll(async () => {
  await jobwire.close();
});

function subscribe(...parameters: ConstructorParameters<typeof MqttSubscription>): MqttSubscription {
  const subscription = new MqttSubscription(...parameters);
  subscriptions.push(subscription);
  return subscription;
}

/** The state that a message tells: the very frame that WebSocket watchers get. */
function stateOf(line: string | undefined): Job {
  const frame = parseServerFrame(line ?? '');
  if (frame.type !== 'job') throw new Error(`a ${frame.type} frame`);
  return frame.job;
}

const isTerminal = (line: string): boolean => line !== '' && stateOf(line).finishedAt !== undefined;

/** Connects from this process, with the ticket or another password. */
async function connect(
  { ticket, broadcast }: CreatedJob['watch'],
  password = ticket,
  clientIdPrefix = broadcast?.clientIdPrefix,
): Promise<MqttClient> {
  if (broadcast === undefined) throw new Error('the ticket says of no broadcast');
  const { url, username } = broadcast;
  const clientId = `${clientIdPrefix}${randomUUID()}`;
  return await connectAsync(url, { clientId, username, password, reconnectPeriod: 0 }, false);
}

/** A job of which the broker has the first state. */
async function retainedJob(): Promise<CreatedJob> {
  const created = await createJob(jobwire.api, { size: CITIES.length });
  const client = await connect(created.watch);
  const told = new Promise((resolve) => client.once('message', resolve));
  await client.subscribeAsync(created.watch.broadcast?.topic ?? '', { qos: 1 });
  await told;
  await client.endAsync();
  return created;
}

test('a client that nobody here wrote gets the retained state first and the terminal state last', async () => {
  const created = await retainedJob();
  const early = subscribe(await takeTicket(jobwire.api, created));
  await early.until(() => true);
  expect(stateOf(early.lines[0])).toEqual(created.job);
  await upload(created, CITIES);
  await early.until(isTerminal);
  const finished = await terminalJob(jobwire.api, created.job.id);
  expect(stateOf(early.lines.at(-1))).toEqual(finished);
  expect(finished.status).toBe('succeeded');

  const late = subscribe(await takeTicket(jobwire.api, created));
  await late.until(isTerminal);
  expect(stateOf(late.lines.at(-1))).toEqual(finished);

  // Gone, as when its time is over.
  const { dynamoDb: endpoint, region, credentials, physicalName } = jobwire.runtime.administration;
  const database = new DynamoDBClient({ endpoint, region, credentials });
  const TableName = physicalName('JobsTable');
  await database.send(new DeleteItemCommand({ TableName, Key: { job: { S: created.job.id } } }));
  await late.until((line) => line === '');
});

test('our own client hears the broadcast from the upload to the end, as the caller and by token', async () => {
  const client = createJobwireClient({ api: jobwire.api });
  const created = await createJob(jobwire.api, { size: CITIES.length });
  const { job, token } = created;
  const watches = [client.watchJob(job.id, { via: 'iot' }), client.watchJob(job.id, { via: 'iot', token })];
  const told: string[] = [];
  for (const watch of watches) {
    watch.on((event) => {
      if (event.type === 'connection') told.push(event.connection.status);
      else if (event.type === 'trouble') told.push(String(event.error));
    });
  }
  await expect.poll(() => told, { timeout: 10_000 }).toEqual(['live', 'live']);
  await upload(created, CITIES);
  const finished = await Promise.all(watches.map((watch) => watch.finished()));
  const terminal = await terminalJob(jobwire.api, job.id);
  expect(finished).toEqual([terminal, terminal]);
  expect(told).toEqual(['live', 'live', 'closed', 'closed']);
});

test('it is refused another job, every job at once, and to connect without a ticket for one job', async () => {
  const [mine, other] = await Promise.all([retainedJob(), createJob(jobwire.api, { size: 1 })]);
  const { watch } = mine;
  const ofOwner = await takeTicket(jobwire.api);
  expect(ofOwner.broadcast).toBeUndefined();
  const forged = `${watch.ticket.slice(0, -4)}XXXX`;
  const refused = [
    subscribe(watch, { topic: `jobwire/jobs/${other.job.id}` }),
    subscribe(watch, { password: forged }),
  ];
  const complaints = await Promise.all(refused.map((one) => one.complaint()));
  expect(complaints[0]).toContain('Subscribe error');
  expect(complaints[1]).toContain('Not authorized');
  expect(refused.flatMap(({ lines }) => lines)).toEqual([]);
  for (const password of [ofOwner.ticket, mine.token, '']) {
    await expect(connect(watch, password)).rejects.toMatchObject({ code: 5 });
  }
  // Under the name of a watcher of another job, or of any other client of the account: it would end their connection.
  for (const prefix of [other.watch.broadcast?.clientIdPrefix, 'thermometer']) {
    await expect(connect(watch, watch.ticket, prefix)).rejects.toMatchObject({ code: 5 });
  }
  const client = await connect(watch);
  await expect(client.subscribeAsync('jobwire/jobs/+')).rejects.toThrow('Subscribe error');
  await client.endAsync();
  // The page may connect to the broker, and no log says with which tickets others did.
  expect(await (await fetch(jobwire.dashboard)).text()).toContain(new URL(watch.broadcast?.url ?? '').origin);
  const log = jobwire.lines.join('\n');
  for (const secret of [watch.ticket, ofOwner.ticket, mine.token]) expect(log).not.toContain(secret);
});
