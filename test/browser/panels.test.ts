import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jobId } from '../client/sample-job.ts';
import { FakeApi } from './fake-api.ts';
import { galleryJobs } from './gallery.ts';
import { launchBrowser } from './launch.ts';

let browser: Browser;
let api: FakeApi;
let page: Page;

beforeAll(async () => {
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  api = await FakeApi.start();
  for (const job of galleryJobs()) api.put(job);
  page = await browser.newPage();
});
afterEach(async () => {
  await page.context().close();
  await api[Symbol.asyncDispose]();
});

async function open(hash: string): Promise<void> {
  await page.goto(`${api.url}/${hash}`);
  await page.locator('[data-connection=live]').waitFor();
  await page.getByTestId('job-row').first().waitFor({ state: 'attached' });
}

/** Commits three states of a job now, and waits until the page shows the last of them. */
async function threeStates(): Promise<void> {
  const job = api.job(jobId(17));
  if (job === undefined) throw new Error('the gallery has no such job');
  for (const seq of [1, 2, 3]) {
    api.put({ ...job, seq: job.seq + seq, updatedAt: new Date().toISOString() });
  }
  await page.locator(`[data-testid=job][data-seq="${job.seq + 3}"]`).waitFor();
}

describe('the connection panel', () => {
  it('tells the state, and counts frames, reconnects and latencies of what came live alone', async () => {
    await open(`#/jobs/${jobId(17)}`);
    await page.getByTestId('connection-open').click();
    const panel = page.getByTestId('connection-panel');
    await panel.getByText('Every change shows here the moment it is committed.').waitFor();
    await panel.getByLabel('Latencies: none measured yet').waitFor();
    const figures = async () => [
      await page.getByTestId('frames').textContent(),
      await page.getByTestId('reconnects').textContent(),
    ];
    expect(await figures()).toEqual(['0', '0']);
    await threeStates();
    expect(await figures()).toEqual(['3', '0']);
    await panel.getByLabel(/^The last 3 latencies: median \d+ ms, newest \d+ ms$/).waitFor();
    expect(await panel.locator('circle').count()).toBe(3);
    api.cut();
    await panel.getByText('The connection was lost.').waitFor();
    await panel.getByText('Every change shows here the moment it is committed.').waitFor();
    await threeStates();
    expect(await figures()).toEqual(['6', '1']);
  });

  it('has its light in sight wherever the page is scrolled to, but where the window is low', async () => {
    await open('#/');
    const top = async () => (await page.getByTestId('connection').boundingBox())?.y;
    await page.mouse.wheel(0, 10_000);
    await expect.poll(() => page.evaluate('scrollY')).toBeGreaterThan(100);
    expect(await top()).toBeGreaterThan(0);
    await page.setViewportSize({ width: 640, height: 320 });
    await page.mouse.wheel(0, 10_000);
    await expect.poll(top).toBeLessThan(0);
  });

  it('closes by Escape, which then does not leave the job', async () => {
    await open(`#/jobs/${jobId(17)}`);
    await page.getByTestId('connection-open').focus();
    await page.keyboard.press('Enter');
    await page.getByTestId('frames').waitFor();
    await page.keyboard.press('Escape');
    await page.getByTestId('frames').waitFor({ state: 'detached' });
    expect(await page.getByTestId('job').count()).toBe(1);
    expect(await page.evaluate('document.activeElement.dataset.testid')).toBe('connection-open');
  });
});

describe('who watches', () => {
  it('is asked for once it is opened, and says what each has confirmed', async () => {
    const since = new Date().toISOString();
    api.watchers = [
      { id: '3f9ac1d07be24410', topic: 'job', since, confirmed: { seq: 1057, at: since } },
      { id: 'c40d19e6b7a2f853', topic: 'owner', since },
    ];
    await open(`#/jobs/${jobId(17)}`);
    expect(api.requests.filter((request) => request.endsWith('/watchers'))).toEqual([]);
    await page.locator('[data-testid=watchers] summary').click();
    await page.getByTestId('watcher').first().waitFor();
    const rows = await page
      .getByTestId('watcher')
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    expect(rows.map(([who, , confirmed]) => [who, confirmed])).toEqual([
      ['3f9ac1d0 this job', '1,057'],
      ['c40d19e6 all jobs', '–'],
    ]);
  });
});
