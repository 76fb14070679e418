import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProblemError, TicketRefusedError } from '../../client/errors.ts';
import type { WatchEvent } from '../../client/watcher.ts';
import { jobFrame } from '../../protocol/frames.ts';
import { problem } from '../../protocol/http.ts';
import type { Peer } from './fake-server.ts';
import { jobId, sampleJob } from './sample-job.ts';
import { Setting } from './setting.ts';

let setting: Setting;
beforeEach(async () => {
  setting = await Setting.start();
});
afterEach(async () => {
  await setting[Symbol.asyncDispose]();
});

async function accept(): Promise<Peer> {
  const peer = await setting.server.accept();
  const { id } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id, job: sampleJob(1) });
  return peer;
}

function short(event: WatchEvent): string {
  if (event.type === 'job') return `job ${event.job.seq}`;
  return event.type === 'connection' ? event.connection.status : event.type;
}

describe('events', () => {
  it('are heard by every listener in the order in which they happened, whatever another listener does', async () => {
    const { watch, states } = setting.watch(jobId(1));
    watch.on((event) => {
      if (event.type === 'job' && event.job.seq === 2) watch.close();
    });
    const heard: string[] = [];
    watch.on((event) => heard.push(short(event)));
    const peer = await accept();
    peer.send(jobFrame(sampleJob(2, 'succeeded')));
    expect((await watch.finished()).seq).toBe(2);
    while ((await states.next()).status !== 'closed');
    expect(heard).toEqual(['live', 'job 1', 'job 2', 'closed']);
  });

  it('of a job come when the watch has it already', async () => {
    const { watch, jobs } = setting.watch(jobId(1));
    const newest: unknown[] = [];
    watch.on((event) => {
      if (event.type === 'job') newest.push(watch.job === event.job);
    });
    const peer = await accept();
    peer.send(jobFrame(sampleJob(2)));
    while ((await jobs.next()).seq !== 2);
    expect(newest).toEqual([true, true]);
  });

  it('are not heard by a listener that has just been removed, nor those of the past by a new one', async () => {
    const { watch, jobs } = setting.watch(jobId(1));
    const heard: string[] = [];
    watch.on((event) => {
      if (event.type !== 'job' || event.job.seq !== 1) return;
      stop();
      watch.on((later) => heard.push(`new ${short(later)}`));
    });
    const stop = watch.on((event) => heard.push(short(event)));
    const peer = await accept();
    peer.send(jobFrame(sampleJob(2)));
    while ((await jobs.next()).seq !== 2);
    expect(heard).toEqual(['live', 'new job 2']);
  });
});

describe('a loop over the states', () => {
  it('throws the reason when the signal aborts, and does not end as if the job had', async () => {
    const abort = new AbortController();
    const { watch } = setting.watch(jobId(1), { signal: abort.signal });
    const reading = (async () => {
      for await (const job of watch) if (job.seq === 1) abort.abort(new Error('enough'));
    })();
    await accept();
    await expect(reading).rejects.toThrow('enough');
  });

  it('throws what the watch was refused with, after the states that came before', async () => {
    const refusal = new ProblemError(problem('unauthorized'));
    const { watch } = setting.watch(jobId(1), { ticket: () => Promise.reject(refusal) });
    await expect(watch[Symbol.asyncIterator]().next()).rejects.toBeInstanceOf(TicketRefusedError);
  });

  it('ends after the terminal state though the signal aborts before it was read', async () => {
    const abort = new AbortController();
    const { watch } = setting.watch(jobId(1), { signal: abort.signal });
    const iterator = watch[Symbol.asyncIterator]();
    const peer = await accept();
    peer.send(jobFrame(sampleJob(2, 'succeeded')));
    await watch.finished();
    abort.abort();
    expect((await iterator.next()).value).toMatchObject({ seq: 2 });
    expect((await iterator.next()).done).toBe(true);
  });

  it('can be left while it waits, which ends the watch and every reader', async () => {
    const { watch } = setting.watch(jobId(1));
    const iterator = watch[Symbol.asyncIterator]();
    const waiting = [iterator.next(), iterator.next()];
    expect(await iterator.return?.()).toEqual({ done: true, value: undefined });
    expect(watch.connection.status).toBe('closed');
    for (const next of waiting) expect((await next).done).toBe(true);
  });
});
