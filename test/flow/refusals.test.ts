import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { DynamoDBClient, ScanCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { CreatedJob } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import { type Job, JobSchema } from '../../protocol/job.ts';
import { ticketOfAnHourAgo } from './expired-ticket.ts';
import { createJob, post, problemOf, takeTicket, terminalJob, upload } from './http-calls.ts';
import { PROJECT, type RunningJobwire, startJobwire } from './running-jobwire.ts';
import { SocketProbe } from './socket-probe.ts';

let jobwire: RunningJobwire;
let created: CreatedJob;
beforeAll(async () => {
  jobwire = await startJobwire();
  created = await createJob(jobwire.api, { size: 100 });
});
afterAll(async () => {
  await jobwire.close();
});

/** Everything that is in the two tables. */
async function everything(): Promise<unknown> {
  const { administration } = jobwire.runtime;
  const client = new DynamoDBClient({
    endpoint: administration.dynamoDb,
    region: administration.region,
    credentials: administration.credentials,
  });
  const tables = ['JobsTable', 'SubscriptionsTable'].map((prefix) => administration.physicalName(prefix));
  const items = await Promise.all(
    tables.map(
      async (TableName) => (await client.send(new ScanCommand({ TableName, ConsistentRead: true }))).Items,
    ),
  );
  client.destroy();
  return items;
}

describe('HTTP: what is malformed is refused with a problem, and nothing else happens', () => {
  const valid = { kind: 'csv-profile', fileName: 'a.csv', contentType: 'text/csv', size: 10 };
  it.each([
    ['not JSON', '{"kind":', 400, 'bad-request'],
    ['an empty upload', { ...valid, size: 0 }, 400, 'bad-request'],
    ['an unknown kind', { ...valid, kind: 'mine-bitcoin' }, 400, 'bad-request'],
    ['a job of 17 KB', { ...valid, fileName: `${'x'.repeat(17_000)}.csv` }, 400, 'bad-request'],
    [
      'a file above the limit of one request',
      { ...valid, size: 6 * 1024 ** 3, upload: 'put' },
      413,
      'too-large',
    ],
    ['a file above the limit of S3', { ...valid, size: 6 * 1024 ** 4 }, 413, 'too-large'],
    ['a body above the limit', { ...valid, padding: 'x'.repeat(70_000) }, 413, 'too-large'],
  ])('%s', async (_name, body, status, code) => {
    const before = await everything();
    const response = await post(`${jobwire.api}/jobs`, body);
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code });
    expect(await everything()).toEqual(before);
  });

  it('names the field that makes a job of 17 KB too large', async () => {
    const response = await post(`${jobwire.api}/jobs`, { ...valid, fileName: 'x'.repeat(17_000) });
    expect((await problemOf(response)).issues?.map(({ path }) => path)).toContain('fileName');
  });

  it.each([
    ['a forged token', 'Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.', 401],
    ['a ticket in place of a token', () => `Bearer ${created.watch.ticket}`, 401],
  ])('%s', async (_name, authorization, status) => {
    const value = typeof authorization === 'string' ? authorization : authorization();
    const response = await fetch(`${jobwire.api}/jobs/${created.job.id}`, {
      headers: { authorization: value },
    });
    expect(response.status).toBe(status);
    expect(await problemOf(response)).toMatchObject({ code: 'unauthorized', retryable: false });
  });

  it('the token of another job', async () => {
    const other = await createJob(jobwire.api, { size: 5 });
    const response = await post(`${jobwire.api}/jobs/${created.job.id}/cancel`, '', {
      authorization: `Bearer ${other.token}`,
    });
    expect(await problemOf(response)).toMatchObject({ code: 'forbidden', status: 403 });
    expect(await readJob(created.job.id)).toEqual(created.job);
  });

  it('a job that there is not, and a call that there is not', async () => {
    const missing = await fetch(`${jobwire.api}/jobs/job_01JCXW3V6Q8Y2T5R9K4M7N0PZA`);
    expect(await problemOf(missing)).toMatchObject({ code: 'not-found', status: 404 });
    // API Gateway answers for what is no route.
    expect((await fetch(`${jobwire.api}/nothing`)).status).toBe(404);
  });
});

describe('uploads: what is not what was announced is refused, and the job waits on', () => {
  it.each([
    ['more than announced', 'x'.repeat(101), 'text/csv'],
    ['nothing at all', '', 'text/csv'],
    ['less than announced', 'x'.repeat(99), 'text/csv'],
    ['another type', 'x'.repeat(100), 'text/html'],
  ])('PUT of %s', async (_name, content, contentType) => {
    const grant = created.upload;
    if (grant?.method !== 'PUT') throw new Error('PUT is the default');
    const response = await fetch(grant.url, {
      method: 'PUT',
      headers: { 'content-type': contentType },
      body: content,
    });
    expect(response.status).toBe(403);
    expect(await readJob(created.job.id)).toEqual(created.job);
  });

  it.each([
    ['more than announced', 'x'.repeat(101), 'EntityTooLarge'],
    ['nothing at all', '', 'EntityTooSmall'],
  ])('POST of %s', async (_name, content, code) => {
    const posted = await createJob(jobwire.api, { size: 100, upload: 'post' });
    const response = await upload(posted, content);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain(`<Code>${code}</Code>`);
    expect(await readJob(posted.job.id)).toEqual(posted.job);
  });
});

describe('files that cannot be processed fail their job with a typed error', () => {
  it.each([
    ['broken quotes', new TextEncoder().encode(`a,b\n1,"two\n${'3,4\n'.repeat(1000)}`), 'broken-quotes'],
    [
      'not a CSV at all',
      new Uint8Array(Array.from({ length: 4096 }, (_, index) => (index * 37) % 256)),
      'not-csv',
    ],
  ])('%s', async (_name, content, code) => {
    const broken = await createJob(jobwire.api, { size: content.byteLength });
    expect((await upload(broken, content)).ok).toBe(true);
    const finished = await terminalJob(jobwire.api, broken.job.id);
    expect(finished).toMatchObject({ status: 'failed', error: { code, retryable: false } });
  });

  it('a picture that says it is a CSV', async () => {
    const picture = await readFile(path.join(PROJECT, 'node_modules/vega-datasets/data/7zip.png'));
    const broken = await createJob(jobwire.api, { size: picture.byteLength });
    await upload(broken, new Uint8Array(picture));
    expect((await terminalJob(jobwire.api, broken.job.id)).error?.code).toBe('not-csv');
  });
});

describe('tickets: a connection that is not allowed does not come about', () => {
  it.each([
    ['no ticket', () => ''],
    ['a forged ticket', () => '?ticket=eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9.'],
    ['a ticket of another audience', () => `?ticket=${created.token}`],
  ])('%s is 401', async (_name, query) => {
    await expect(SocketProbe.connect(`${jobwire.socket}${query()}`)).rejects.toThrow('401');
  });

  it('an expired ticket is 401', async () => {
    const ticket = await ticketOfAnHourAgo(jobwire.runtime.administration);
    await expect(SocketProbe.connect(`${jobwire.socket}?ticket=${ticket}`)).rejects.toThrow('401');
  });

  it('a foreign job is 403', async () => {
    const other = await createJob(jobwire.api, { size: 5 });
    const url = `${jobwire.socket}?job=${created.job.id}&ticket=${other.watch.ticket}`;
    await expect(SocketProbe.connect(url)).rejects.toThrow('403');
  });

  it('no function has logged a token or a ticket', () => {
    expect(
      jobwire.lines.filter((line) => line.includes(created.token) || line.includes(created.watch.ticket)),
    ).toEqual([]);
  });
});

describe('frames: what is malformed gets an error frame, and the connection stands', () => {
  it.each([
    ['not JSON', 'hello', { code: 'bad-frame' }],
    ['an unknown type', { type: 'dance', id: '7' }, { code: 'unknown-type' }],
    ['a frame without a target', { type: 'subscribe', id: '7' }, { code: 'bad-frame' }],
    ['a foreign job', () => ({ type: 'subscribe', id: '7', job: foreign.job.id }), { code: 'forbidden' }],
    ['a topic, with a job ticket', { type: 'subscribe', id: '7', topic: 'owner:me' }, { code: 'forbidden' }],
  ])('%s', async (_name, frame, error) => {
    const probe = await SocketProbe.connect(
      jobwire.socket,
      (await takeTicket(jobwire.api, created)).protocols,
    );
    const before = await everything();
    probe.send(typeof frame === 'function' ? frame() : frame);
    const answer = await probe.frame((candidate) => candidate.type === 'error');
    expect(answer).toMatchObject({ type: 'error', error });
    expect(await everything()).toEqual(before);
    probe.send({ type: 'ping', id: 'still-here' });
    await probe.frame((candidate) => candidate.type === 'pong' && candidate.id === 'still-here');
    await probe.close();
  });

  let foreign: CreatedJob;
  beforeAll(async () => {
    foreign = await createJob(jobwire.api, { size: 5 });
  });

  it('a frame of 33 KB closes with 1009, a binary frame with 1003', async () => {
    const large = await SocketProbe.connect(
      jobwire.socket,
      (await takeTicket(jobwire.api, created)).protocols,
    );
    large.send(JSON.stringify({ type: 'ping', id: 'x'.repeat(33 * 1024) }));
    expect(await large.end()).toBe(1009);
    const binary = await SocketProbe.connect(
      jobwire.socket,
      (await takeTicket(jobwire.api, created)).protocols,
    );
    binary.sendBinary(new Uint8Array([1, 2, 3]));
    expect(await binary.end()).toBe(1003);
  });
});

async function readJob(id: string): Promise<Job> {
  return parse('the job', JobSchema, await (await fetch(`${jobwire.api}/jobs/${id}`)).json());
}
