import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Job, Progress } from '../../protocol/job.ts';
import { jobId } from '../client/sample-job.ts';
import { FakeApi } from './fake-api.ts';
import { galleryJobs } from './gallery.ts';
import { launchBrowser } from './launch.ts';
import { layoutShifts, watchLayoutShifts } from './layout-shifts.ts';

/** So high that nothing is out of sight: what is not seen does not count as moved. */
const SIZES = { desk: { width: 1360, height: 1600 }, phone: { width: 375, height: 2400 } } as const;

const MEGABYTE = 1_000_000;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
});

async function withPage(
  viewport: { readonly width: number; readonly height: number },
  run: (page: Page, api: FakeApi) => Promise<void>,
): Promise<void> {
  const api = await FakeApi.start();
  for (const job of galleryJobs()) api.put(job);
  const page = await browser.newPage({ viewport });
  try {
    await run(page, api);
  } finally {
    await page.context().close();
    await api[Symbol.asyncDispose]();
  }
}

function jobOf(api: FakeApi, number: number): Job {
  const job = api.job(jobId(number));
  if (job === undefined) throw new Error(`the gallery has no job ${number}`);
  return job;
}

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await page.locator('[data-connection=live]').waitFor();
  await page.getByTestId('job-list').waitFor({ state: 'attached' });
  await watchLayoutShifts(page);
  await layoutShifts(page);
}

/** `at` from 0 to 1: figures of every width, from a single digit to hundreds. */
function progressAt(at: number): Progress {
  const done = at * 320 * MEGABYTE;
  return { done, total: 320 * MEGABYTE, unit: 'bytes', fraction: at };
}

/** Of reports that lie a second apart: as even as it takes to tell how long it still takes. */
const SHARES = [0.02, 0.07, 0.12, 0.17, 0.22, 0.27, 0.32, 0.37];

async function report(page: Page, api: FakeApi, job: Job, messages: readonly string[]): Promise<void> {
  for (const [index, share] of SHARES.entries()) {
    const message = messages[index % messages.length];
    const state: Job = {
      ...job,
      seq: job.seq + 1 + index,
      updatedAt: new Date(Date.now() - (SHARES.length - 1 - index) * 1_000).toISOString(),
      progress: progressAt(share),
      ...(message === undefined ? {} : { message }),
    };
    api.put(state);
    await page.locator(`[data-testid=job][data-seq="${state.seq}"]`).waitFor();
  }
}

describe.each(Object.entries(SIZES))('on a %s', (_, viewport) => {
  it('nothing moves on a job’s page while it is worked on', async () => {
    await withPage(viewport, async (page, api) => {
      const job = { ...jobOf(api, 17), progress: progressAt(0), message: 'beginning' };
      api.put({ ...job, seq: job.seq + 1 });
      await open(page, `${api.url}/#/jobs/${job.id}`);
      const messages = ['1 row', '1,048,576 rows read, 3 of them malformed, the first in line 7', 'done'];
      await report(page, api, { ...job, seq: job.seq + 1 }, messages);
      await page
        .getByTestId('estimate')
        .getByText(/^(about|a few)/)
        .waitFor();
      expect(await layoutShifts(page)).toEqual([]);
    });
  });

  it('nothing moves on a job’s page while its file is sent', async () => {
    await withPage(viewport, async (page, api) => {
      const { message: _message, ...job } = jobOf(api, 19);
      api.put({ ...job, seq: job.seq + 1, progress: progressAt(0) });
      await open(page, `${api.url}/#/jobs/${job.id}`);
      await report(page, api, { ...job, seq: job.seq + 1 }, []);
      await page.getByTestId('estimate').getByText('of the upload left').waitFor();
      expect(await layoutShifts(page)).toEqual([]);
    });
  });

  it('nothing moves in the list when a job has a number to show', async () => {
    await withPage(viewport, async (page, api) => {
      await open(page, `${api.url}/#/`);
      const job = jobOf(api, 19);
      for (const [index, share] of SHARES.entries()) {
        api.put({ ...job, status: 'running', seq: job.seq + 1 + index, progress: progressAt(share * 2) });
        await page.locator(`[data-job=${job.id}][data-seq="${job.seq + 1 + index}"]`).waitFor();
        if (index === 0) await layoutShifts(page); // its status is another
      }
      const waiting = jobOf(api, 18);
      api.put({ ...waiting, seq: waiting.seq + 1, progress: progressAt(0.5) });
      await page.locator(`[data-job=${waiting.id}][data-seq="${waiting.seq + 1}"]`).waitFor();
      expect(await layoutShifts(page)).toEqual([]);
    });
  });
});

it('a line of the log is as high before it is seen as after', async () => {
  await withPage({ width: 1360, height: 300 }, async (page, api) => {
    const job = { ...jobOf(api, 17), progress: progressAt(0), message: 'beginning' };
    await open(page, `${api.url}/#/jobs/${job.id}`);
    await report(page, api, job, ['one line']);
    const heights = `[...document.querySelectorAll('.log-line')].map((line) => line.getBoundingClientRect().height)`;
    const unseen = await page.evaluate<readonly number[]>(heights);
    expect(unseen.length).toBeGreaterThan(3);
    await page.setViewportSize(SIZES.desk);
    const isSeen = `document.querySelector('.log-line').checkVisibility({ contentVisibilityAuto: true })`;
    await expect.poll(() => page.evaluate(isSeen)).toBe(true);
    expect(await page.evaluate(heights)).toEqual(unseen);
  });
});
