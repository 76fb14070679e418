import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnreachableError } from '../../client/errors.ts';
import { createWatchClient, type WatchClient } from '../../client/watch-client.ts';
import type { WatchEvent } from '../../client/watcher.ts';
import { JobServer } from './job-server.ts';
import { ManualClock } from './manual-clock.ts';
import { jobId, sampleJob } from './sample-job.ts';

let server: JobServer;
let clock: ManualClock;
let client: WatchClient;
beforeEach(async () => {
  server = await JobServer.start();
  server.commit(sampleJob(1));
  clock = new ManualClock();
  client = createWatchClient({
    api: 'http://127.0.0.1',
    clock,
    random: () => 0.5,
    fetch: server.fetch,
    onWake: () => () => {},
  });
});
afterEach(async () => {
  client.close();
  await server[Symbol.asyncDispose]();
});

/** Lets time go by, to each next thing that is due, until a condition holds. */
async function until(condition: () => boolean): Promise<void> {
  await vi.waitFor(
    () => {
      if (condition()) return;
      clock.advance(Math.min(clock.nextInMs ?? 0, 100));
      throw new Error('not yet');
    },
    { interval: 1, timeout: 5_000 },
  );
}

/** Closes the one watch at the first event that matches, and shows that nothing goes on. */
async function closeAt(matches: (event: WatchEvent) => boolean): Promise<void> {
  const watch = client.watchJob(jobId(1));
  let closed = false;
  watch.on((event) => {
    if (closed || !matches(event)) return;
    closed = true;
    watch.close();
  });
  await until(() => closed);
  expect(watch.connection).toEqual({ status: 'closed' });
  await settled();
  expect(clock.pending).toBe(0);
  await vi.waitFor(() => expect(server.open + server.held).toBe(0), { interval: 1 });
  const before = server.requests.length;
  clock.advance(120_000);
  await settled();
  expect(server.requests).toHaveLength(before);
}

describe('a watch that a listener closes leaves nothing that goes on', () => {
  it('at its first state', () => closeAt(({ type }) => type === 'job'));

  it('at a terminal state, which is what it finishes with', async () => {
    const watch = client.watchJob(jobId(1));
    watch.on((event) => {
      if (event.type === 'job' && event.job.status === 'succeeded') watch.close();
    });
    server.commit(sampleJob(2, 'succeeded'));
    clock.advance(0);
    expect((await watch.finished()).seq).toBe(2);
    await settled();
    expect(clock.pending).toBe(0);
  });

  it.each(['live', 'reconnecting', 'polling'])('when it becomes %s', async (status) => {
    if (status !== 'live') server.blocked = true;
    await closeAt((event) => event.type === 'connection' && event.connection.status === status);
  });

  it('when it becomes stale', async () => {
    server.failure = new TypeError('no network');
    await closeAt((event) => event.type === 'connection' && event.connection.status === 'stale');
  });

  it('at trouble of a ticket', async () => {
    server.failure = new TypeError('no network');
    await closeAt((event) => event.type === 'trouble' && event.error instanceof UnreachableError);
  });

  it('at trouble of a poll', async () => {
    server.blocked = true;
    let polling = false;
    await closeAt((event) => {
      if (event.type === 'connection' && event.connection.status === 'polling') {
        polling = true;
        server.failure = new TypeError('no network');
        server.release();
      }
      return polling && event.type === 'trouble';
    });
  });

  it('and one that it begins in its place lives', async () => {
    server.failure = new TypeError('no network');
    const first = client.watchJob(jobId(1));
    let next: ReturnType<WatchClient['watchJob']> | undefined;
    first.on((event) => {
      if (event.type !== 'trouble' || next !== undefined) return;
      first.close();
      server.failure = undefined;
      next = client.watchJob(jobId(1));
    });
    await until(() => next?.connection.status === 'live');
    await vi.waitFor(() => expect(next?.job?.seq).toBe(1), { interval: 1 });
    expect(server.open).toBe(1);
    expect(server.requests).toEqual(['POST /tickets', 'POST /tickets']);
  });
});
