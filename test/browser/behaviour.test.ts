import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MULTIPART_ABOVE_BYTES } from '../../protocol/upload-limits.ts';
import { jobId } from '../client/sample-job.ts';
import { FakeApi } from './fake-api.ts';
import { galleryJobs } from './gallery.ts';
import { launchBrowser } from './launch.ts';
import { measureFrames } from './measured-frames.ts';
import { run } from './views.ts';
import { WitnessedPage } from './witnessed-page.ts';

let browser: Browser;
let api: FakeApi;
let tab: WitnessedPage;
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
});
afterEach(async () => {
  await page.context().close();
  await api[Symbol.asyncDispose]();
});

async function open(hash: string): Promise<void> {
  tab = await WitnessedPage.open(await browser.newContext(), `${api.url}/${hash}`);
  page = tab.page;
  await tab.isConnected('live');
}

/** The names of the files in the list, from top to bottom. */
async function files(): Promise<readonly string[]> {
  return await page.locator('.row-file').allTextContents();
}

/** What has the focus: a job's id, or a test id. */
async function focused(): Promise<unknown> {
  return await page.evaluate('document.activeElement.dataset.job ?? document.activeElement.dataset.testid');
}

describe('many states', () => {
  it('come 5,000 in a burst, each in a frame of its own, and hold up the page for less than 100 ms', async () => {
    const job = api.job(jobId(17));
    if (job === undefined) throw new Error('the gallery has no such job');
    await open(`#/jobs/${job.id}`);
    await tab.shows(job);
    const seq = job.seq + 5_000;
    const { longest, busiest } = await measureFrames(browser, page, async () => {
      for (let done = 1; done <= 5_000; done += 1) {
        api.put({
          ...job,
          seq: job.seq + done,
          updatedAt: new Date().toISOString(),
          progress: { done, total: 5_000, unit: 'rows', fraction: 0.42 + (done / 5_000) * 0.58 },
          message: `row ${done}`,
        });
      }
      await tab.shows({ id: job.id, seq });
    });
    expect(busiest, `the longest frame took ${longest} ms`).toBeLessThan(100);
    const result = { href: `/jobs/${job.id}/result`, contentType: 'application/json', size: 5_000_000 };
    const ended = { ...job, seq: seq + 1, status: 'succeeded', result } as const;
    api.put(ended);
    await tab.shows(ended);
    const { seqs } = await tab.witness();
    expect(seqs.map(Number)).toEqual([...new Set(seqs.map(Number))].sort((one, other) => one - other));
    expect(await page.getByTestId('job').getAttribute('data-status')).toBe('succeeded');
  });

  it('would be seen to hold up the page', async () => {
    await open('#/');
    const { longest, busiest } = await measureFrames(browser, page, async () => {
      await page.evaluate(`new Promise((resolve) => requestAnimationFrame(() => {
        for (let count = 0; count < 1e9; count += 1);
        requestAnimationFrame(() => requestAnimationFrame(resolve));
      }))`);
    });
    expect(busiest).toBeGreaterThan(100);
    expect(longest).toBeGreaterThan(100);
  });

  it('move nothing, and say nothing to a screen reader', async () => {
    const job = api.job(jobId(17));
    if (job === undefined) throw new Error('the gallery has no such job');
    await open(`#/jobs/${job.id}`);
    await tab.shows(job);
    await page.evaluate(`(() => {
      window.shifts = [];
      window.spoken = [];
      const place = ({ x, y, width, height }) => [x, y, width, height].join(' ');
      new PerformanceObserver((list) => {
        for (const { value, sources } of list.getEntries()) {
          shifts.push({ value, sources: sources.map(({ node, previousRect, currentRect }) =>
            [node?.className, node?.textContent, place(previousRect), place(currentRect)].join(', ')) });
        }
      }).observe({ type: 'layout-shift', buffered: true });
      for (const region of document.querySelectorAll('[aria-live], [role=log], [role=status]')) {
        new MutationObserver(() => region.textContent !== '' && spoken.push(region.textContent)).observe(region, {
          subtree: true, childList: true, characterData: true,
        });
      }
    })()`);
    const state = await run(api, page, job);
    await page.getByTestId('estimate').getByText('left').waitFor();
    expect(await page.getByTestId('estimate').textContent()).toMatch(/^(about \d+ s|a few seconds) left$/);
    // The clock moves numbers, too.
    const total = page.getByTestId('total');
    for (let tick = 1; tick <= 2; tick += 1) {
      const before = await total.textContent();
      await expect.poll(() => total.textContent(), { timeout: 5_000 }).not.toBe(before);
    }
    expect(await page.evaluate('[shifts, spoken]')).toEqual([[], []]);
    const result = { href: `/jobs/${job.id}/result`, contentType: 'application/json', size: 5_000_000 };
    api.put({ ...state, seq: state.seq + 1, status: 'succeeded', result });
    await expect.poll(() => page.evaluate('spoken')).toEqual(['measurements.csv: Succeeded']);
  });
});

describe('the list', () => {
  it('is searched and filtered, and the address keeps it', async () => {
    await open('#/');
    await page.getByTestId('search').fill('readings nightly');
    await page.getByTestId('filter-awaiting-upload').click();
    expect(await files()).toEqual(['meter-readings-2026-11.csv']);
    await page.getByTestId('filter-succeeded').click();
    expect(await page.getByTestId('job-row').count()).toBe(12);
    await page.getByTestId('tag-filter').selectOption('finance');
    await page.getByTestId('nothing-found').waitFor();
    await page.getByTestId('tag-filter').selectOption('nightly');
    await page.reload();
    await page.getByTestId('job-row').first().waitFor();
    expect(new URL(page.url()).hash).toBe(
      '#/?status=awaiting-upload%2Csucceeded&tag=nightly&q=readings+nightly',
    );
    expect(await page.getByTestId('filter-succeeded').getAttribute('aria-pressed')).toBe('true');
    await page.getByTestId('job-row').first().click();
    await page.getByTestId('back').click();
    expect(await page.getByTestId('search').inputValue()).toBe('readings nightly');
    expect(await page.getByTestId('job-row').count()).toBe(12);
  });

  it('is walked by keyboard, by arrows and by single keys, which can be switched off', async () => {
    await open('#/');
    await page.getByTestId('job-row').first().waitFor();
    await page.keyboard.press('/');
    expect(await focused()).toBe('search');
    await page.keyboard.type('jk');
    expect(await page.getByTestId('search').inputValue()).toBe('jk');
    await page.getByTestId('search').fill('');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('j');
    await page.keyboard.press('ArrowDown');
    expect(await focused()).toBe(jobId(17));
    await page.keyboard.press('k');
    await page.keyboard.press('End');
    await page.keyboard.press('Home');
    expect(await focused()).toBe(jobId(19));
    await page.keyboard.press('Enter');
    await page.locator(`[data-testid=job][data-job=${jobId(19)}]`).waitFor();
    await page.keyboard.press('Escape');
    await page.getByTestId('drop-zone').waitFor();
    await page.keyboard.press('c');
    await page.getByTestId('frames').waitFor();
    await page.keyboard.press('Escape');
    await page.keyboard.press('?');
    await page.getByLabel('Single keys work').uncheck();
    await page.keyboard.press('Escape');
    const before = await focused();
    await page.keyboard.press('c');
    await page.keyboard.press('j');
    expect(await page.getByTestId('connection-panel').isVisible()).toBe(false);
    expect(await focused()).toBe(before);
  });
});

describe('a job that waits for a file which this page does not have', () => {
  it.each([
    [MULTIPART_ABOVE_BYTES, ''],
    [320_000_000, 'Sent from here before a reload? Choose the file again in the list.'],
  ])('says of %i bytes how to go on where the page may have sent some of it', async (size, hint) => {
    const job = api.job(jobId(19));
    if (job?.input === undefined) throw new Error('the gallery has no such job');
    api.put({ ...job, seq: job.seq + 1, input: { ...job.input, size } });
    await open(`#/jobs/${job.id}`);
    expect(await page.getByTestId('doing').textContent()).toBe('Waiting for the file');
    expect(await page.getByTestId('message').textContent()).toBe(hint);
  });
});

describe('a job that failed', () => {
  it('is tried again with the file that the page still has', async () => {
    await open('#/');
    await page.getByTestId('tags').fill('again, again,  later');
    const file = { name: 'rows.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') };
    await page.getByTestId('file-input').setInputFiles(file);
    await page.locator('[data-testid=job][data-status=awaiting-upload]').waitFor();
    const id = (await page.getByTestId('job').getAttribute('data-job')) ?? '';
    const job = api.job(id);
    if (job === undefined) throw new Error(`the page shows an unknown job ${id}`);
    expect(job.tags).toEqual(['again', 'later']);
    const error = { code: 'broken', title: 'It broke', retryable: true };
    api.put({ ...job, seq: job.seq + 1, status: 'failed', error });
    await page.getByTestId('retry').click();
    await page.locator(`[data-testid=job][data-status=awaiting-upload]:not([data-job=${id}])`).waitFor();
    await expect.poll(() => api.uploads).toEqual([8, 8]);
    const again = api.job((await page.getByTestId('job').getAttribute('data-job')) ?? '');
    expect(again).toMatchObject({ tags: job.tags, kind: job.kind, input: job.input });
  });

  it('asks for the file where the page does not have it', async () => {
    await open(`#/jobs/${jobId(14)}`);
    await page.getByText('This page does not have the file any more.').waitFor();
    const file = { name: 'scan.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') };
    await page.getByTestId('retry-file').setInputFiles(file);
    await page.getByRole('heading', { name: 'scan.csv' }).waitFor();
  });
});
