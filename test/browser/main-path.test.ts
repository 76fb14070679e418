import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser, BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { type JobFrame, parseServerFrame } from '../../protocol/frames.ts';
import type { Job } from '../../protocol/job.ts';
import { createJob, takeTicket, terminalJob } from '../flow/http-calls.ts';
import { csvRows, writeLargeCsv } from '../flow/large-csv.ts';
import { PROJECT, type RunningJobwire, startJobwire } from '../flow/running-jobwire.ts';
import { SocketProbe } from '../flow/socket-probe.ts';
import { launchBrowser } from './launch.ts';

const MEGABYTE = 1024 ** 2;

/** 300 MB take a dozen seconds where nothing else runs, and minutes on a machine that does much else. */
const LIMIT = { timeout: 240_000 };

let jobwire: RunningJobwire;
let browser: Browser;
let folder: string;
let large: { readonly file: string; readonly size: number; readonly rows: number };
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-files-'));
  const file = path.join(folder, 'measurements.csv');
  [jobwire, browser, large] = await Promise.all([
    startJobwire(),
    launchBrowser(),
    writeLargeCsv(file, 300 * MEGABYTE).then((written) => ({ file, ...written })),
  ]);
});
afterAll(async () => {
  await Promise.all([jobwire.close(), browser.close()]);
  await rm(folder, { recursive: true, force: true });
});

/** A browser of its own, with what it asked the API for and which states it got. */
class Viewer {
  readonly requests: string[] = [];
  readonly faults: string[] = [];
  readonly states: Job[] = [];
  readonly context: BrowserContext;
  readonly page: Page;

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('request', (request) => {
      if (request.url().startsWith(jobwire.api)) {
        this.requests.push(`${request.method()} ${new URL(request.url()).pathname}`);
      }
    });
    page.on('pageerror', (error) => this.faults.push(String(error)));
    page.on('console', (message) => {
      if (/content security policy|cors/i.test(message.text())) this.faults.push(message.text());
    });
    page.on('websocket', (socket) => {
      socket.on('framereceived', ({ payload }) => {
        const frame = parseServerFrame(String(payload));
        if ('job' in frame) this.states.push(frame.job);
      });
    });
  }

  static async open(hash = ''): Promise<Viewer> {
    const context = await browser.newContext();
    const viewer = new Viewer(context, await context.newPage());
    await viewer.page.goto(`${jobwire.dashboard}/${hash}`);
    await viewer.page.locator('[data-testid=connection][data-connection=live]').waitFor();
    return viewer;
  }

  /** Waits until the page shows the job in that status; a job may take as long as the test. */
  async shows(status: Job['status'], timeout = 60_000): Promise<void> {
    await this.page.locator(`[data-testid=job][data-status=${status}]`).waitFor({ timeout });
  }
}

describe('a file of 300 MB', () => {
  it('goes through the page, and three watchers see the same job move', LIMIT, async () => {
    const viewer = await Viewer.open();
    await viewer.page.getByTestId('file-input').setInputFiles(large.file);
    await viewer.shows('awaiting-upload');
    const id = (await viewer.page.getByTestId('job').getAttribute('data-job')) ?? '';

    const wscat = await startWscat(id);
    const second = await Viewer.open(`#/jobs/${id}`);
    await second.shows('running');
    const client = createJobwireClient({ api: jobwire.api }).watchJob(id);
    const joined: Job[] = [];
    client.on((event) => {
      if (event.type === 'job') joined.push(event.job);
    });

    await Promise.all([viewer.shows('succeeded', LIMIT.timeout), second.shows('succeeded', LIMIT.timeout)]);
    const finished = await client.finished();
    expect(finished).toEqual(await terminalJob(jobwire.api, id));
    const seen = await wscat.until((job) => job.seq === finished.seq);

    for (const states of [statesOf(viewer.states, id), statesOf(second.states, id), joined, seen]) {
      expectOnlyNewer(states);
      expect(states.at(-1)).toEqual(finished);
    }
    expect(seen.length).toBeGreaterThanOrEqual(20);
    expect(await viewer.page.getByTestId('job').getAttribute('data-seq')).toBe(String(finished.seq));

    // Pushed, not polled: the page has never asked for a job.
    expect(viewer.requests.filter((request) => /^GET \/jobs\/job_\w+$/.test(request))).toEqual([]);
    expect(viewer.faults).toEqual([]);

    const href = (await viewer.page.getByTestId('result').getAttribute('href')) ?? '';
    const results = await Promise.all(
      [href, `${jobwire.api}/jobs/${id}/result`].map(async (url) => (await fetch(url)).text()),
    );
    expect(results[0]).toBe(results[1]);
    expect(JSON.parse(results[0] ?? '')).toMatchObject({ rows: large.rows, malformed: { count: 0 } });

    const peaks = jobwire.reports
      .filter(({ functionName }) => functionName.includes('ProcessFunction'))
      .map(({ peakMemoryMb }) => peakMemoryMb);
    expect(Math.max(...peaks)).toBeLessThan(256);
    await Promise.all([viewer.context.close(), second.context.close()]);
  });

  it('goes through curl', LIMIT, async () => {
    const created = await createJob(jobwire.api, {
      size: large.size,
      fileName: 'measurements.csv',
      upload: 'put',
    });
    const grant = created.upload;
    if (grant?.method !== 'PUT') throw new Error('PUT was asked for');
    const probe = await SocketProbe.connect(
      `${jobwire.socket}?job=${created.job.id}&ticket=${created.watch.ticket}`,
    );
    const headers = Object.entries(grant.headers).flatMap(([name, value]) => ['-H', `${name}: ${value}`]);
    const status = await output('curl', [
      '-s',
      '-o',
      '/dev/null',
      '-w',
      '%{http_code}',
      '-T',
      large.file,
      ...headers,
      grant.url,
    ]);
    expect(status).toBe('200');
    const finished = await terminalJob(jobwire.api, created.job.id);
    expect(finished.status).toBe('succeeded');
    await probe.frame((frame) => frame.type === 'job' && frame.job.seq === finished.seq);
    const states = probe.statesOf(finished.id);
    expectOnlyNewer(states);
    expect(states.length).toBeGreaterThanOrEqual(20);
    await probe.close();
  });
});

describe('the page', () => {
  it('says honestly that it reconnects, and shows the terminal state that the database has', async () => {
    const viewer = await Viewer.open();
    const content = csvRows(150_000);
    await viewer.page.getByTestId('file-input').setInputFiles({
      name: '<b>rows.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(content),
    });
    await viewer.shows('running');
    jobwire.runtime.dropConnections();
    await viewer.page.locator('[data-testid=connection][data-connection=reconnecting]').waitFor();
    await viewer.page.locator('[data-testid=connection][data-connection=live]').waitFor();
    await viewer.shows('succeeded');
    expect(await viewer.page.locator('h1').textContent()).toBe('<b>rows.csv');
    expect(viewer.faults).toEqual([]);
    await viewer.context.close();
  });

  it('shows the result from the storage, which is another origin, and downloads it', async () => {
    const viewer = await Viewer.open();
    const content = csvRows(1_000);
    await viewer.page.getByTestId('file-input').setInputFiles({
      name: 'rows.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from(content),
    });
    await viewer.page.locator('[data-testid=profile][data-preview=ready]').waitFor();
    expect(await viewer.page.getByTestId('column').count()).toBe(7);
    const [download] = await Promise.all([
      viewer.page.waitForEvent('download'),
      viewer.page.getByTestId('result').click(),
    ]);
    expect(download.suggestedFilename()).toBe('rows.csv.result.json');
    expect(JSON.parse(await readFile(await download.path(), 'utf8'))).toMatchObject({ rows: 1_000 });
    await viewer.shows('succeeded'); // and the page stayed
    await viewer.page.locator('[data-testid=watchers] summary').click();
    await viewer.page.getByTestId('watcher').first().waitFor();
    expect(viewer.faults).toEqual([]);
    await viewer.context.close();
  });

  it('paints first without a request to any other host', async () => {
    const viewer = await Viewer.open();
    const [painted, asked] = (await viewer.page.evaluate(`[
      performance.getEntriesByName('first-contentful-paint')[0].startTime,
      performance.getEntriesByType('resource').map(({ name, startTime }) => [new URL(name).origin, startTime]),
    ]`)) as [number, [string, number][]]; // as the script makes it
    const origin = new URL(jobwire.dashboard).origin;
    const others = asked.filter(([of]) => of !== origin && of !== 'null'); // the icon is in the page
    expect(others.length).toBeGreaterThan(0);
    expect(others.filter(([, at]) => at < painted)).toEqual([]);
    await viewer.context.close();
  });

  it('lists the jobs of others as they come', async () => {
    const viewer = await Viewer.open();
    const created = await createJob(jobwire.api, { size: 5 });
    await viewer.page
      .locator(`[data-testid=job-row][data-job=${created.job.id}][data-status=awaiting-upload]`)
      .waitFor();
    await viewer.context.close();
  });

  it('cancels a job, and the other browser sees it', async () => {
    const created = await createJob(jobwire.api, { size: 5 });
    const viewers = await Promise.all([1, 2].map(() => Viewer.open(`#/jobs/${created.job.id}`)));
    await viewers[0]?.page.getByTestId('cancel').click();
    await Promise.all(viewers.map((viewer) => viewer.shows('cancelled')));
    await Promise.all(viewers.map((viewer) => viewer.context.close()));
  });
});

function statesOf(states: readonly Job[], id: string): readonly Job[] {
  return states.filter((job) => job.id === id);
}

function expectOnlyNewer(states: readonly Job[]): void {
  const seqs = states.map(({ seq }) => seq);
  expect(seqs.length).toBeGreaterThan(1);
  // The same state may be in the snapshot and in a frame; none may come after a newer one.
  expect(seqs).toEqual([...seqs].sort((one, other) => one - other));
}

/** The real wscat, as a user runs it. */
async function startWscat(
  id: string,
): Promise<{ until(accepts: (job: Job) => boolean): Promise<readonly Job[]> }> {
  const { ticket } = await takeTicket(jobwire.api);
  const child = spawn(
    process.execPath,
    [
      path.join(PROJECT, 'node_modules/wscat/bin/wscat'),
      '-c',
      `${jobwire.socket}?job=${id}&ticket=${ticket}`,
    ],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  const jobs: Job[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    const lines = `${rest}${text}`.split('\n');
    rest = lines.pop() ?? '';
    jobs.push(
      ...lines
        .map((line) => parseServerFrame(line))
        .filter(isJobFrame)
        .map(({ job }) => job),
    );
  });
  return {
    async until(accepts) {
      while (!jobs.some(accepts)) await new Promise((resolve) => child.stdout.once('data', resolve));
      child.stdin.end();
      child.kill();
      return jobs;
    },
  };
}

function isJobFrame(frame: { readonly type: string }): frame is JobFrame {
  return frame.type === 'job';
}

async function output(command: string, arguments_: readonly string[]): Promise<string> {
  const child = spawn(command, arguments_, { stdio: ['ignore', 'pipe', 'inherit'] });
  const chunks: string[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => chunks.push(text));
  await new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  return chunks.join('');
}
