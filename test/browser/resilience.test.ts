import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { ticketOfAnHourAgo } from '../flow/expired-ticket.ts';
import { createJob, terminalJob } from '../flow/http-calls.ts';
import { type RunningJobwire, startJobwire } from '../flow/running-jobwire.ts';
import { DrivenJob } from './driven-job.ts';
import { launchBrowser } from './launch.ts';
import { measureFrames } from './measured-frames.ts';
import { NetworkPath } from './network-path.ts';
import { WitnessedPage } from './witnessed-page.ts';

/** How many writes of a burst are under way at a time: DynamoDB Local does no more with more. */
const AT_ONCE = 20;

/** 5,000 writes take twelve seconds where nothing else runs, and minutes on a machine that does much else. */
const LIMIT = { timeout: 240_000 };

let jobwire: RunningJobwire;
let browser: Browser;
beforeAll(async () => {
  [jobwire, browser] = await Promise.all([startJobwire(), launchBrowser()]);
});
afterAll(async () => {
  await Promise.all([jobwire.close(), browser.close()]);
});

/** A browser of its own, behind a network of its own. */
async function behindNetwork(
  run: (context: BrowserContext, network: NetworkPath) => Promise<void>,
): Promise<void> {
  const network = await NetworkPath.start();
  const context = await browser.newContext({ proxy: network.proxy });
  try {
    await run(context, network);
  } finally {
    await context.close();
    await network[Symbol.asyncDispose]();
  }
}

/** A job that the test drives, until it is over. Tests that run beside others say by themselves when that is. */
async function startJob(
  input: Parameters<typeof DrivenJob.start>[2] = {},
  whenFinished = onTestFinished,
): Promise<DrivenJob> {
  const job = await DrivenJob.start(jobwire.api, jobwire.runtime.administration, input);
  whenFinished(() => job[Symbol.dispose]());
  return job;
}

/** The address of a job's page. */
function pageOf(id: string): string {
  return `${jobwire.dashboard}/#/jobs/${id}`;
}

describe.concurrent('while one page waits for its network', () => {
  it('the network may be off for 30 seconds in mid-job', async ({ onTestFinished }) => {
    await behindNetwork(async (context, network) => {
      const job = await startJob({}, onTestFinished);
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      await tab.shows(await job.report({ progress: { fraction: 0.1 } }));
      await context.setOffline(true);
      network.goDark(true);
      const off = performance.now();
      await tab.isConnected('reconnecting');
      await job.report({ progress: { fraction: 0.2 } });
      await tab.isConnected('stale');
      expect(await tab.page.getByTestId('connection').textContent()).toMatch(
        /Out of date.*last heard \d+ s ago/,
      );
      const last = await job.report({ progress: { fraction: 0.3 }, message: 'while nobody could hear it' });
      await tab.page.waitForTimeout(30_000 - (performance.now() - off));
      network.goDark(false);
      await context.setOffline(false);
      await tab.isConnected('live');
      await tab.shows(last);
      await job.succeed();
      const { connections } = await tab.isTrue(jobwire.api, job.id);
      expect(connections.filter((status) => status === 'live')).toHaveLength(2);
    });
  });

  // Beside the test above, which waits most of its time.
  it('5,000 states in a burst hold up no frame of another for 100 ms', LIMIT, async ({ onTestFinished }) => {
    const context = await browser.newContext();
    onTestFinished(() => context.close());
    const job = await startJob({}, onTestFinished);
    const tab = await WitnessedPage.open(context, pageOf(job.id));
    const started = await job.report({ progress: { fraction: 0 } });
    await tab.shows(started);
    const { longest, busiest } = await measureFrames(browser, tab.page, async () => {
      for (let done = 0; done < 5_000; done += AT_ONCE) {
        const progress = { done, total: 5_000, unit: 'rows', fraction: done / 5_000 };
        const rows = Array.from({ length: AT_ONCE }, (_, row) => `row ${done + row}`);
        await Promise.all(rows.map((message) => job.report({ progress, message })));
      }
      await tab.shows(await job.succeed());
    });
    expect(busiest, `the longest frame took ${longest} ms`).toBeLessThan(100);
    const { seqs } = await tab.isTrue(jobwire.api, job.id);
    expect(seqs.at(-1)).toBe(String(started.seq + 5_000 + 1));
    expect(seqs.length).toBeGreaterThan(20);
  });
});

describe('the network', () => {
  it('may refuse WebSockets from the start: the page polls, and goes back to a socket when it can', async () => {
    await behindNetwork(async (context, network) => {
      network.blockWebSockets(true);
      const job = await startJob();
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      await tab.isConnected('polling');
      await tab.shows(await job.report({ progress: { fraction: 0.4 } }));
      network.blockWebSockets(false);
      await tab.isConnected('live', 60_000);
      await tab.shows(await job.report({ progress: { fraction: 0.6 } }));
      await job.succeed();
      await tab.isTrue(jobwire.api, job.id);
    });
  });

  it('may refuse WebSockets in mid-job', async () => {
    await behindNetwork(async (context, network) => {
      const job = await startJob();
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      await tab.isConnected('live');
      await tab.shows(await job.report({ progress: { fraction: 0.1 } }));
      network.blockWebSockets(true);
      await tab.isConnected('polling', 60_000);
      await tab.shows(await job.report({ progress: { fraction: 0.2 } }));
      await job.succeed();
      const { connections } = await tab.isTrue(jobwire.api, job.id);
      expect(connections).toContain('reconnecting');
    });
  });
});

describe('a ticket', () => {
  it('may be expired: the next one is taken', async () => {
    await behindNetwork(async (context) => {
      const job = await startJob();
      const expired = await ticketOfAnHourAgo(jobwire.runtime.administration);
      let tickets = 0;
      await context.route(`${jobwire.api}/tickets`, async (route) => {
        tickets += 1;
        if (tickets > 1) return await route.continue();
        const response = await route.fetch();
        const ticket = {
          ...(await response.json()),
          ticket: expired,
          protocols: ['jobwire.v1', `ticket.${expired}`],
        };
        return await route.fulfill({ response, json: ticket });
      });
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      await tab.isConnected('live');
      await job.succeed();
      await tab.isTrue(jobwire.api, job.id);
      expect(tickets).toBeGreaterThan(1);
    });
  });
});

describe('a job', () => {
  it('may have finished before the first subscribe', async () => {
    await behindNetwork(async (context) => {
      const job = await startJob();
      await job.report({ progress: { fraction: 0.5 } });
      await job.succeed();
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      const { seqs } = await tab.isTrue(jobwire.api, job.id);
      expect(seqs).toHaveLength(1);
    });
  });

  it('may be cancelled in another tab', async () => {
    await behindNetwork(async (context) => {
      const { job } = await createJob(jobwire.api, { size: 5 });
      const tabs = await Promise.all([1, 2].map(() => WitnessedPage.open(context, pageOf(job.id))));
      await Promise.all(tabs.map((tab) => tab.shows(job)));
      await tabs[0]?.page.getByTestId('cancel').click();
      for (const tab of tabs) await tab.isTrue(jobwire.api, job.id);
      expect((await terminalJob(jobwire.api, job.id)).status).toBe('cancelled');
    });
  });

  it('may say markup, which is shown as it is', async () => {
    await behindNetwork(async (context) => {
      const markup = '<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> &amp; {{3}}';
      const job = await startJob({
        fileName: '<svg onload=alert(4)>.csv',
        tags: ['<i>tag<!--'],
      });
      const tab = await WitnessedPage.open(context, pageOf(job.id));
      const step = { name: '<u>step</u>', index: 1, count: 2 };
      await tab.shows(await job.report({ message: markup, step, progress: { fraction: 0.5 } }));
      expect(await tab.page.getByTestId('message').textContent()).toBe(markup);
      expect(await tab.page.locator('h1').textContent()).toBe('<svg onload=alert(4)>.csv');
      expect(await tab.page.getByTestId('log').textContent()).toContain(markup);
      expect(await tab.page.locator('.job :is(img, script, b, u, i, [onload])').count()).toBe(0);
      await job.succeed();
      await tab.isTrue(jobwire.api, job.id);
    });
  });
});

describe('ten tabs', () => {
  it('make one connection, and miss nothing when the one that leads is closed', async () => {
    await behindNetwork(async (context, network) => {
      const job = await startJob();
      const tabs: WitnessedPage[] = [];
      for (let count = 0; count < 10; count += 1)
        tabs.push(await WitnessedPage.open(context, pageOf(job.id)));
      const first = await job.report({ progress: { fraction: 0.1 } });
      await Promise.all(tabs.map((tab) => tab.shows(first)));
      expect(network.webSockets).toBe(1);

      await tabs.shift()?.page.close(); // the first that came leads
      const closed = performance.now();
      const inBetween = await job.report({ progress: { fraction: 0.2 } });
      await Promise.all(tabs.map((tab) => tab.shows(inBetween)));
      await Promise.all(tabs.map((tab) => tab.isConnected('live')));
      expect(performance.now() - closed).toBeLessThan(2_000);
      expect(network.webSockets).toBe(1);
      await job.report({ progress: { fraction: 0.3 } });
      await job.succeed();
      for (const tab of tabs) await tab.isTrue(jobwire.api, job.id);
      expect(network.webSockets).toBe(1);
    });
  });
});
