import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { type JobPage, JobPageSchema } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import type { Job } from '../../protocol/job.ts';
import { createJob, post, takeTicket, terminalJob, upload } from './http-calls.ts';
import { csvRows } from './large-csv.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';
import { SocketProbe } from './socket-probe.ts';

const CITIES = 'city,people\nOslo,709037\nBergen,289330\n';

let jobwire: RunningJobwire;
beforeAll(async () => {
  jobwire = await startJobwire();
});
afterAll(async () => {
  await jobwire.close();
});

describe('a job, from upload to result', () => {
  it.each(['put', 'post'] as const)(
    'goes through all statuses, pushed to every watcher (%s)',
    async (method) => {
      const created = await createJob(jobwire.api, { size: CITIES.length, upload: method });
      const { ticket } = created.watch;
      const byQuery = await SocketProbe.connect(`${jobwire.socket}?job=${created.job.id}&ticket=${ticket}`);
      const owner = await takeTicket(jobwire.api);
      const byTopic = await SocketProbe.connect(owner.url, owner.protocols);
      byTopic.send({ type: 'subscribe', id: 'all', topic: 'owner:me' });
      await byTopic.frame((frame) => frame.type === 'subscribed');

      expect((await upload(created, CITIES)).ok).toBe(true);

      const client = createJobwireClient({ api: jobwire.api });
      const finished = await client.watchJob(created.job.id, { token: created.token }).finished();
      expect(finished.status).toBe('succeeded');
      expect(finished.history.map(({ status }) => status)).toEqual([
        'awaiting-upload',
        'queued',
        'running',
        'succeeded',
      ]);
      for (const probe of [byQuery, byTopic]) {
        await probe.frame((frame) => frame.type === 'job' && frame.job.seq === finished.seq);
        const states = probe.statesOf(created.job.id);
        expectOnlyNewer(states);
        expect(states.at(-1)).toEqual(finished);
        await probe.close();
      }
      expect(byTopic.subprotocol).toBe('jobwire.v1');

      const result = await fetch(`${jobwire.api}/jobs/${created.job.id}/result`);
      expect(await result.json()).toMatchObject({
        rows: 2,
        columns: [{ name: 'city' }, { name: 'people', mean: 499183.5 }],
      });
    },
  );

  it('is told to a watcher who comes when all is over', async () => {
    const created = await createJob(jobwire.api, { size: CITIES.length });
    await upload(created, CITIES);
    const finished = await terminalJob(jobwire.api, created.job.id);
    const probe = await SocketProbe.connect(
      `${jobwire.socket}?job=${finished.id}&ticket=${created.watch.ticket}`,
    );
    await probe.frame((frame) => frame.type === 'job' && frame.job.seq === finished.seq);
    await probe.close();
  });

  it('is processed once, however often its object is written', async () => {
    const created = await createJob(jobwire.api, { size: CITIES.length });
    await Promise.all([upload(created, CITIES), upload(created, CITIES), upload(created, CITIES)]);
    const finished = await terminalJob(jobwire.api, created.job.id);
    await upload(created, CITIES);
    const again = await terminalJob(jobwire.api, created.job.id);
    expect(again).toEqual(finished);
    expect(finished.history.filter(({ status }) => status === 'running')).toHaveLength(1);
  });

  it('resumes after the connection was lost, and misses nothing', async () => {
    const content = csvRows(60_000);
    const created = await createJob(jobwire.api, { size: content.byteLength });
    const client = createJobwireClient({ api: jobwire.api });
    const watch = client.watchJob(created.job.id, { token: created.token });
    const states: Job[] = [];
    const lights = new Set<string>();
    watch.on((event) => {
      if (event.type === 'connection') lights.add(event.connection.status);
      if (event.type !== 'job') return;
      states.push(event.job);
      if (event.job.status === 'running') jobwire.runtime.dropConnections();
    });
    await upload(created, content);
    const finished = await watch.finished();
    expect(finished).toEqual(await terminalJob(jobwire.api, created.job.id));
    expectOnlyNewer(states);
    expect(lights).toContain('reconnecting');
  });

  it('stops when it is cancelled', async () => {
    const content = csvRows(200_000);
    const created = await createJob(jobwire.api, { size: content.byteLength });
    const authorization = `Bearer ${created.token}`;
    const cancel = () => post(`${jobwire.api}/jobs/${created.job.id}/cancel`, '', { authorization });
    const watch = createJobwireClient({ api: jobwire.api }).watchJob(created.job.id, {
      token: created.token,
    });
    watch.on((event) => {
      if (event.type === 'job' && event.job.status === 'running') void cancel();
    });
    await upload(created, content);
    expect((await watch.finished()).status).toBe('cancelled');
    expect((await cancel()).status).toBe(202);
    expect((await fetch(`${jobwire.api}/jobs/${created.job.id}/result`)).status).toBe(404);
  });
});

describe('the HTTP API', () => {
  it('makes one job of two requests with the same idempotency key', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const body = { kind: 'csv-profile', fileName: 'a.csv', contentType: 'text/csv', size: 10 };
    const [first, second] = await Promise.all([
      post(`${jobwire.api}/jobs`, body, headers),
      post(`${jobwire.api}/jobs`, body, headers),
    ]);
    expect([first.status, second.status]).toEqual([201, 201]);
    expect(first.headers.get('location')).toBe(second.headers.get('location'));
    expect((await post(`${jobwire.api}/jobs`, { ...body, size: 11 }, headers)).status).toBe(409);
  });

  it('answers 304 for a state that the caller has, and lists newest first in pages', async () => {
    const { job } = await createJob(jobwire.api, { size: 1 });
    const known = await fetch(`${jobwire.api}/jobs/${job.id}`);
    const etag = known.headers.get('etag') ?? '';
    expect(etag).toBe(`"${job.epoch}.${job.seq}"`);
    expect(
      (await fetch(`${jobwire.api}/jobs/${job.id}`, { headers: { 'if-none-match': etag } })).status,
    ).toBe(304);

    const page = await listJobs('limit=2');
    expect(page.jobs).toHaveLength(2);
    expect(page.jobs[0]?.id).toBe(job.id);
    const next = await listJobs(`limit=2&cursor=${encodeURIComponent(page.cursor ?? '')}`);
    expect(new Set([...page.jobs, ...next.jobs].map(({ id }) => id)).size).toBe(4);
  });
});

async function listJobs(query: string): Promise<JobPage> {
  return parse('the page', JobPageSchema, await (await fetch(`${jobwire.api}/jobs?${query}`)).json());
}

/** No state came twice, and none came after a newer one. */
function expectOnlyNewer(states: readonly Job[]): void {
  const seqs = states.map(({ seq }) => seq);
  expect(seqs.length).toBeGreaterThan(1);
  expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
}
