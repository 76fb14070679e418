import { expect, it, onTestFinished, vi } from 'vitest';
import { createWatchClient } from '../../client/watch-client.ts';
import { JobServer } from './job-server.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { Setting } from './setting.ts';
import { TestTab } from './test-tab.ts';

/* Watches that begin or end inside a listener, or beside a tab that hangs. */

const WAIT = { interval: 1, timeout: 4_000 };

/** A server with one job that runs, and a second one. */
async function startServer(): Promise<JobServer> {
  const server = await JobServer.start();
  onTestFinished(() => server[Symbol.asyncDispose]());
  server.commit(sampleJob(1), sampleJob(1, 'running', { id: jobId(2) }));
  return server;
}

/** A tab with a watch of the first job that has its state. */
async function startTab(server: JobServer, name: string) {
  const tab = new TestTab(server, {}, name);
  onTestFinished(() => tab.crash());
  const watch = tab.client.watchJob(jobId(1));
  await vi.waitFor(() => expect(watch.job).toBeDefined(), WAIT);
  return { tab, watch };
}

it('answers a watch of a job that has just ended, though a tab that hangs still wants it', async () => {
  const server = await startServer();
  const { tab } = await startTab(server, 'ended');
  const { tab: hanging } = await startTab(server, 'ended');
  hanging.hang();
  const ended = tab.client.watchJob(jobId(1));
  server.commit(sampleJob(2, 'succeeded'));
  await ended.finished();
  const late = tab.client.watchJob(jobId(1));
  expect((await late.finished()).seq).toBe(2);
});

it('answers a watch that begins in the listener of the terminal state', async () => {
  const server = await startServer();
  const client = createWatchClient({
    api: 'http://127.0.0.1',
    fetch: server.fetch,
    onWake: () => () => {},
  });
  onTestFinished(() => client.close());
  const watch = client.watchJob(jobId(1));
  const late = Promise.withResolvers<number>();
  watch.on((event) => {
    if (event.type !== 'job' || event.job.seq !== 2) return;
    client
      .watchJob(jobId(1))
      .finished()
      .then((job) => late.resolve(job.seq), late.reject);
  });
  await vi.waitFor(() => expect(watch.job).toBeDefined(), WAIT);
  server.commit(sampleJob(2, 'succeeded'));
  expect(await late.promise).toBe(2);
});

it('asks anew, and does not refuse at once, where the listener of a refusal watches again', async () => {
  let tickets = 0;
  const setting = await Setting.start(async () => {
    tickets += 1;
    const problem = { type: 'about:blank', title: 'no', status: 401, code: 'unauthorized', retryable: false };
    return Response.json(problem, { status: 401 });
  });
  onTestFinished(() => setting[Symbol.asyncDispose]());
  let begun = 0;
  const start = () => {
    begun += 1;
    setting.client.watchJob(jobId(1)).on((event) => {
      const isRefused = event.type === 'connection' && event.connection.status === 'closed';
      if (isRefused && event.connection.error !== undefined && begun < 100) start();
    });
  };
  start();
  setting.clock.advance(0);
  await vi.waitFor(() => expect(begun).toBeGreaterThan(1), WAIT);
  expect([tickets, begun]).toEqual([1, 2]);
});

it('gives the lead away where the listener that hears of it closes the last watch', async () => {
  const server = await startServer();
  const { tab: first } = await startTab(server, 'lead');
  const { watch } = await startTab(server, 'lead');
  const { watch: last } = await startTab(server, 'lead');
  watch.on((event) => {
    if (event.type === 'connection' && event.connection.status === 'reconnecting') watch.close();
  });
  first.client.close();
  await vi.waitFor(() => expect(last.connection.status).toBe('reconnecting'), WAIT);
  await vi.waitFor(() => expect(last.connection.status).toBe('live'), WAIT);
});

it('leaves no socket where the listener that hears of the lead watches another job instead', async () => {
  const server = await startServer();
  const { tab: first } = await startTab(server, 'instead');
  const { tab: second, watch } = await startTab(server, 'instead');
  const { tab: third, watch: last } = await startTab(server, 'instead');
  watch.on((event) => {
    if (event.type !== 'connection' || event.connection.status !== 'reconnecting') return;
    watch.close();
    second.client.watchJob(jobId(2));
  });
  first.client.close();
  await vi.waitFor(() => expect(last.connection.status).toBe('reconnecting'), WAIT);
  await vi.waitFor(() => expect([last.connection.status, server.open]).toEqual(['live', 1]), WAIT);
  second.client.close();
  third.client.close();
  await vi.waitFor(() => expect(server.open).toBe(0), WAIT);
});
