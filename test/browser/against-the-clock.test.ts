import { describe, expect, it, onTestFinished } from 'vitest';
import { measureFrames } from './measured-frames.ts';
import { SharedStage } from './shared-stage.ts';
import { WitnessedPage } from './witnessed-page.ts';

/** How many writes of a burst are under way at a time: DynamoDB Local does no more with more. */
const AT_ONCE = 20;

/** 5,000 writes take twelve seconds where nothing else runs, and minutes on a machine that does much else. */
const LIMIT = { timeout: 240_000 };

const stage = SharedStage.forThisFile();

describe('a burst', () => {
  it('of 5,000 states holds up no frame of another for 100 ms', LIMIT, async () => {
    const context = await stage.browser.newContext();
    onTestFinished(() => context.close());
    const job = await stage.startJob();
    const tab = await WitnessedPage.open(context, stage.pageOf(job.id));
    const started = await job.report({ progress: { fraction: 0 } });
    await tab.shows(started);
    const { longest, busiest } = await measureFrames(stage.browser, tab.page, async () => {
      for (let done = 0; done < 5_000; done += AT_ONCE) {
        const progress = { done, total: 5_000, unit: 'rows', fraction: done / 5_000 };
        const rows = Array.from({ length: AT_ONCE }, (_, row) => `row ${done + row}`);
        await Promise.all(rows.map((message) => job.report({ progress, message })));
      }
      await tab.shows(await job.succeed());
    });
    expect(busiest, `the longest frame took ${longest} ms`).toBeLessThan(100);
    const { seqs } = await tab.isTrue(stage.jobwire.api, job.id);
    expect(seqs.at(-1)).toBe(String(started.seq + 5_000 + 1));
    expect(seqs.length).toBeGreaterThan(20);
  });
});

describe('ten tabs', () => {
  it('make one connection, and miss nothing when the one that leads is closed', async () => {
    await stage.behindNetwork(async (context, network) => {
      const job = await stage.startJob();
      const tabs: WitnessedPage[] = [];
      for (let count = 0; count < 10; count += 1)
        tabs.push(await WitnessedPage.open(context, stage.pageOf(job.id)));
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
      for (const tab of tabs) await tab.isTrue(stage.jobwire.api, job.id);
      expect(network.webSockets).toBe(1);
    });
  });
});
