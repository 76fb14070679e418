import { createElement, type ReactNode, StrictMode, useEffect } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Via } from '../../client/access.ts';
import { SubscriptionRefusedError } from '../../client/errors.ts';
import { errorFrame, jobFrame } from '../../protocol/frames.ts';
import type { Job } from '../../protocol/job.ts';
import { JobwireProvider, MissingClientError } from '../../react/provider.ts';
import { type UsedJob, type UseJobOptions, useJob } from '../../react/use-job.ts';
import type { Peer } from '../client/fake-server.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';
import { Setting } from '../client/setting.ts';
import { Page } from './page.ts';

let setting: Setting;
let page: Page;
let cancels: string[];
beforeEach(async () => {
  cancels = [];
  page = new Page();
  setting = await Setting.start(async (url) => {
    if (url.endsWith('/cancel')) {
      cancels.push(url);
      return Response.json(sampleJob(9, 'cancelled'), { status: 202 });
    }
    const ticket = { ...(await setting.server.ticket()), expiresAt: '2026-11-23T12:01:00.000Z' };
    return Response.json(ticket, { status: 201 });
  });
});
afterEach(async () => {
  page.unmount();
  await setting[Symbol.asyncDispose]();
});

interface ShowProps {
  readonly id: string | undefined;
  readonly options?: UseJobOptions;
  /** Hears of every result that was committed. */
  readonly committed?: (used: UsedJob) => void;
}

/** What an application would write. */
function Show({ id, options, committed }: ShowProps): ReactNode {
  const used = useJob(id, options);
  useEffect(() => committed?.(used));
  const { job, connection, error } = used;
  return error === undefined ? `${job?.seq ?? '-'} ${connection.status};` : `${error.name};`;
}

/** Within a provider and Strict Mode. */
function application(...components: ReactNode[]): ReactNode {
  return createElement(
    StrictMode,
    {},
    createElement(JobwireProvider, { client: setting.client }, ...components),
  );
}

function show(props: ShowProps): ReactNode {
  return createElement(Show, props);
}

/** Lets the client connect once it has something to watch, and confirms its one subscription. */
async function confirm(job: Job): Promise<Peer> {
  const peer = await accept();
  const { id } = await peer.expect('subscribe');
  peer.send({ type: 'subscribed', id, job });
  return peer;
}

async function accept(): Promise<Peer> {
  await vi.waitFor(() => expect(setting.clock.pending).toBeGreaterThan(0), { interval: 1 });
  setting.clock.advance(0);
  return await setting.server.accept();
}

describe('useJob', () => {
  it('shows each state, over one connection in Strict Mode, and leaves nothing behind', async () => {
    const watchJob = vi.spyOn(setting.client, 'watchJob');
    page.render(application(show({ id: jobId(1) })));
    await page.shows('- connecting;');
    const peer = await confirm(sampleJob(3));
    await page.shows('3 live;');
    peer.send(jobFrame(sampleJob(4)));
    await page.shows('4 live;');
    expect(watchJob).toHaveBeenCalledTimes(1);
    expect(setting.server).toMatchObject({ tickets: 1, open: 1 });

    page.unmount();
    await peer.closed;
    expect(setting.clock.pending).toBe(0);
    expect(setting.listeners).toBe(0);
  });

  it('closes the connection by itself when the job is terminal, and goes on showing the end', async () => {
    page.render(application(show({ id: jobId(1) })));
    const peer = await confirm(sampleJob(3));
    peer.send(jobFrame(sampleJob(7, 'succeeded')));
    await page.shows('7 closed;');
    await peer.closed;
    page.render(application(show({ id: jobId(1) })));
    await page.shows('7 closed;');
    expect(setting.clock.pending).toBe(0);
  });

  it('watches by the way that it is told, and begins anew by another', async () => {
    const watchJob = vi.spyOn(setting.client, 'watchJob');
    const by = (via?: Via) => show({ id: jobId(1), options: { via } });
    page.render(application(by('websocket'), by('websocket'), by()));
    await page.shows('- connecting;- connecting;- connecting;');
    page.render(application(by('poll')));
    await vi.waitFor(() => expect(watchJob).toHaveBeenCalledTimes(3));
    expect(watchJob.mock.calls.map(([, options]) => options?.via)).toEqual(['websocket', undefined, 'poll']);
  });

  it('shares one watch among components, and ends it with the last', async () => {
    const both = [show({ id: jobId(1) }), show({ id: jobId(1), options: { throttleMs: 60_000 } })];
    page.render(application(...both));
    const peer = await confirm(sampleJob(3));
    await page.shows('3 live;3 live;');
    page.render(application(both[0]));
    await page.shows('3 live;');
    peer.send(jobFrame(sampleJob(4)));
    await page.shows('4 live;');
    // Who comes later shows at once what is known, and asks nobody.
    page.render(application(...both));
    await page.shows('4 live;4 live;');
    page.render(application());
    await peer.closed;
    expect(setting.server.tickets).toBe(1);
  });

  it('follows the id', async () => {
    page.render(application(show({ id: undefined })));
    await page.shows('- connecting;');
    expect(setting.clock.pending).toBe(0);
    page.render(application(show({ id: jobId(1) })));
    const peer = await confirm(sampleJob(3));
    await page.shows('3 live;');
    page.render(application(show({ id: jobId(2) })));
    const { id } = await peer.expect('subscribe');
    peer.send({ type: 'subscribed', id, job: sampleJob(8, 'running', { id: jobId(2) }) });
    await page.shows('8 live;');
    expect(await peer.expect('unsubscribe')).toMatchObject({ job: jobId(1) });
  });

  it('gives the same object until something changes, and one cancel for one job', async () => {
    const committed = vi.fn<(used: UsedJob) => void>();
    page.render(application(show({ id: jobId(1), committed })));
    const peer = await confirm(sampleJob(3));
    await page.shows('3 live;');
    const before = committed.mock.lastCall?.[0];
    const calls = committed.mock.calls.length;
    page.render(application(show({ id: jobId(1), committed, options: {} })));
    await vi.waitFor(() => expect(committed.mock.calls.length).toBeGreaterThan(calls));
    expect(committed.mock.lastCall?.[0]).toBe(before);

    peer.send(jobFrame(sampleJob(4)));
    await page.shows('4 live;');
    expect(committed.mock.lastCall?.[0]).not.toBe(before);
    expect(committed.mock.lastCall?.[0].cancel).toBe(before?.cancel);
    expect(await before?.cancel()).toMatchObject({ status: 'cancelled' });
    expect(cancels).toEqual([`http://127.0.0.1:9/jobs/${jobId(1)}/cancel`]);
  });

  it('renders a throttled burst once, and the end at once', async () => {
    const committed = vi.fn<(used: UsedJob) => void>();
    const unthrottled = show({ id: jobId(1) });
    const throttled = show({ id: jobId(1), committed, options: { throttleMs: 3_600_000 } });
    page.render(application(throttled, unthrottled));
    const peer = await confirm(sampleJob(1));
    await page.shows('1 live;1 live;');
    for (let seq = 2; seq <= 50; seq += 1) peer.send(jobFrame(sampleJob(seq)));
    await page.shows('1 live;50 live;');
    peer.send(jobFrame(sampleJob(51, 'failed')));
    await page.shows('51 closed;51 closed;');
    const seqs = new Set(committed.mock.calls.map(([{ job }]) => job?.seq));
    expect([...seqs]).toEqual([undefined, 1, 51]);
  });

  it('says why a watch was refused', async () => {
    page.render(application(show({ id: jobId(1) })));
    const peer = await accept();
    const { id } = await peer.expect('subscribe');
    peer.send(errorFrame('not-found', { id }));
    await page.shows(`${SubscriptionRefusedError.name};`);
  });

  it('watches anew what was refused when it is mounted again, as by another key', async () => {
    const keyed = (key: string) => application(createElement(Show, { key, id: jobId(1) }));
    page.render(keyed('signed out'));
    const refused = await accept();
    refused.send(errorFrame('not-found', { id: (await refused.expect('subscribe')).id }));
    await page.shows('SubscriptionRefusedError;');
    page.render(keyed('signed in'));
    await confirm(sampleJob(3));
    await page.shows('3 live;');
  });

  it('needs a client, and takes the one of the options before that of the provider', async () => {
    page.render(show({ id: jobId(1) }));
    await vi.waitFor(() => expect(page.faults[0]).toBeInstanceOf(MissingClientError));
    page.unmount();
    page.render(show({ id: jobId(1), options: { client: setting.client } }));
    await confirm(sampleJob(2));
    await page.shows('2 live;');
  });
});

describe('useJob on a server', () => {
  it('renders what is known and connects to nothing; the browser takes over and goes on', async () => {
    const content = application(show({ id: jobId(1), options: { initialJob: sampleJob(5) } }));
    const html = renderToString(content);
    expect(html).toContain('5 connecting;');
    expect(setting.clock.pending).toBe(0);

    page.hydrate(html, content);
    // The watch begins with an older state: what is shown never goes back.
    const peer = await confirm(sampleJob(4));
    await page.shows('5 live;');
    peer.send(jobFrame(sampleJob(6)));
    await page.shows('6 live;');
    expect(page.faults).toEqual([]);
  });

  it('does not connect for a job that is over', async () => {
    const over = application(show({ id: jobId(1), options: { initialJob: sampleJob(5, 'succeeded') } }));
    page.hydrate(renderToString(over), over);
    await page.shows('5 closed;');
    expect(setting.clock.pending).toBe(0);
    expect(page.faults).toEqual([]);
  });
});
