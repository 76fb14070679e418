import { describe, expect, it } from 'vitest';
import { ticketOfAnHourAgo } from '../flow/expired-ticket.ts';
import { createJob, terminalJob } from '../flow/http-calls.ts';
import { SharedStage } from './shared-stage.ts';
import { WitnessedPage } from './witnessed-page.ts';

const stage = SharedStage.forThisFile();

describe('the network', () => {
  it('may be off for 30 seconds in mid-job', async () => {
    await stage.behindNetwork(async (context, network) => {
      const job = await stage.startJob();
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
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
      const { connections } = await tab.isTrue(stage.jobwire.api, job.id);
      expect(connections.filter((status) => status === 'live')).toHaveLength(2);
    });
  });

  it('may refuse WebSockets from the start: the page polls, and goes back to a socket when it can', async () => {
    await stage.behindNetwork(async (context, network) => {
      network.blockWebSockets(true);
      const job = await stage.startJob();
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
      await tab.isConnected('polling');
      await tab.shows(await job.report({ progress: { fraction: 0.4 } }));
      network.blockWebSockets(false);
      await tab.isConnected('live', 60_000);
      await tab.shows(await job.report({ progress: { fraction: 0.6 } }));
      await job.succeed();
      await tab.isTrue(stage.jobwire.api, job.id);
    });
  });

  it('may refuse WebSockets in mid-job', async () => {
    await stage.behindNetwork(async (context, network) => {
      const job = await stage.startJob();
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
      await tab.isConnected('live');
      await tab.shows(await job.report({ progress: { fraction: 0.1 } }));
      network.blockWebSockets(true);
      await tab.isConnected('polling', 60_000);
      await tab.shows(await job.report({ progress: { fraction: 0.2 } }));
      await job.succeed();
      const { connections } = await tab.isTrue(stage.jobwire.api, job.id);
      expect(connections).toContain('reconnecting');
    });
  });
});

describe('a ticket', () => {
  it('may be expired: the next one is taken', async () => {
    await stage.behindNetwork(async (context) => {
      const job = await stage.startJob();
      const expired = await ticketOfAnHourAgo(stage.jobwire.runtime.administration);
      let tickets = 0;
      await context.route(`${stage.jobwire.api}/tickets`, async (route) => {
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
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
      await tab.isConnected('live');
      await job.succeed();
      await tab.isTrue(stage.jobwire.api, job.id);
      expect(tickets).toBeGreaterThan(1);
    });
  });
});

describe('a job', () => {
  it('may have finished before the first subscribe', async () => {
    await stage.behindNetwork(async (context) => {
      const job = await stage.startJob();
      await job.report({ progress: { fraction: 0.5 } });
      await job.succeed();
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
      const { seqs } = await tab.isTrue(stage.jobwire.api, job.id);
      expect(seqs).toHaveLength(1);
    });
  });

  it('may be cancelled in another tab', async () => {
    await stage.behindNetwork(async (context) => {
      const { job } = await createJob(stage.jobwire.api, { size: 5 });
      const tabs = await Promise.all([1, 2].map(() => WitnessedPage.open(context, stage.pageOf(job.id))));
      await Promise.all(tabs.map((tab) => tab.shows(job)));
      await tabs[0]?.page.getByTestId('cancel').click();
      for (const tab of tabs) await tab.isTrue(stage.jobwire.api, job.id);
      expect((await terminalJob(stage.jobwire.api, job.id)).status).toBe('cancelled');
    });
  });

  it('may say markup, which is shown as it is', async () => {
    await stage.behindNetwork(async (context) => {
      const markup = '<img src=x onerror=alert(1)><script>alert(2)</script><b>bold</b> &amp; {{3}}';
      const job = await stage.startJob({
        fileName: '<svg onload=alert(4)>.csv',
        tags: ['<i>tag<!--'],
      });
      const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
      const step = { name: '<u>step</u>', index: 1, count: 2 };
      await tab.shows(await job.report({ message: markup, step, progress: { fraction: 0.5 } }));
      expect(await tab.page.getByTestId('message').textContent()).toBe(markup);
      expect(await tab.page.locator('h1').textContent()).toBe('<svg onload=alert(4)>.csv');
      expect(await tab.page.getByTestId('log').textContent()).toContain(markup);
      expect(await tab.page.locator('.job :is(img, script, b, u, i, [onload])').count()).toBe(0);
      await job.succeed();
      await tab.isTrue(stage.jobwire.api, job.id);
    });
  });
});
