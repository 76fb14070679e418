import { setImmediate as settled } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { UnreachableError } from '../../client/errors.ts';
import type { WatchClient } from '../../client/watch-client.ts';
import type { WatchEvent } from '../../client/watcher.ts';
import { JobSetting } from './job-setting.ts';
import { jobId, sampleJob } from './sample-job.ts';

let setting: JobSetting;
beforeEach(async () => {
  setting = await JobSetting.start();
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

/** Closes the one watch at the first event that matches, and shows that nothing goes on. */
async function closeAt(matches: (event: WatchEvent) => boolean): Promise<void> {
  const watch = setting.client.watchJob(jobId(1));
  let closed = false;
  watch.on((event) => {
    if (closed || !matches(event)) return;
    closed = true;
    watch.close();
  });
  await setting.until(() => closed);
  expect(watch.connection).toEqual({ status: 'closed' });
  await settled();
  expect(setting.clock.pending).toBe(0);
  await vi.waitFor(() => expect(setting.server.open + setting.server.held).toBe(0), { interval: 1 });
  const before = setting.server.requests.length;
  setting.clock.advance(120_000);
  await settled();
  expect(setting.server.requests).toHaveLength(before);
}

describe('a watch that a listener closes leaves nothing that goes on', () => {
  it('at its first state', () => closeAt(({ type }) => type === 'job'));

  it('at a terminal state, which is what it finishes with', async () => {
    const watch = setting.client.watchJob(jobId(1));
    watch.on((event) => {
      if (event.type === 'job' && event.job.status === 'succeeded') watch.close();
    });
    setting.server.commit(sampleJob(2, 'succeeded'));
    setting.clock.advance(0);
    expect((await watch.finished()).seq).toBe(2);
    await settled();
    expect(setting.clock.pending).toBe(0);
  });

  it.each(['live', 'reconnecting', 'polling'])('when it becomes %s', async (status) => {
    if (status !== 'live') setting.server.blocked = true;
    await closeAt((event) => event.type === 'connection' && event.connection.status === status);
  });

  it('when it becomes stale', async () => {
    setting.server.failure = new TypeError('no network');
    await closeAt((event) => event.type === 'connection' && event.connection.status === 'stale');
  });

  it('at trouble of a ticket', async () => {
    setting.server.failure = new TypeError('no network');
    await closeAt((event) => event.type === 'trouble' && event.error instanceof UnreachableError);
  });

  it('at trouble of a poll', async () => {
    setting.server.blocked = true;
    let polling = false;
    await closeAt((event) => {
      if (event.type === 'connection' && event.connection.status === 'polling') {
        polling = true;
        setting.server.failure = new TypeError('no network');
        setting.server.release();
      }
      return polling && event.type === 'trouble';
    });
  });

  it('and one that it begins in its place lives', async () => {
    setting.server.failure = new TypeError('no network');
    const first = setting.client.watchJob(jobId(1));
    let next: ReturnType<WatchClient['watchJob']> | undefined;
    first.on((event) => {
      if (event.type !== 'trouble' || next !== undefined) return;
      first.close();
      setting.server.failure = undefined;
      next = setting.client.watchJob(jobId(1));
    });
    await setting.until(() => next?.connection.status === 'live');
    await vi.waitFor(() => expect(next?.job?.seq).toBe(1), { interval: 1 });
    expect(setting.server.open).toBe(1);
    expect(setting.server.requests).toEqual(['POST /tickets', 'POST /tickets']);
  });
});
