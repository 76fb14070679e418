import type { Browser, Page, Route } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { problem } from '../../protocol/http.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';
import { FakeApi } from './fake-api.ts';
import { galleryJob, galleryJobs, PROFILED_FILE, profileOf } from './gallery.ts';
import { launchBrowser } from './launch.ts';

let browser: Browser;
let api: FakeApi;
let page: Page;
const dialogs: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  dialogs.length = 0;
  api = await FakeApi.start();
  for (const job of galleryJobs()) api.put(job);
  page = await browser.newPage();
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    void dialog.accept();
  });
});
afterEach(async () => {
  await page.context().close();
  await api[Symbol.asyncDispose]();
});

async function open(hash: string): Promise<void> {
  await page.goto(`${api.url}/${hash}`);
  await page.locator('[data-connection=live]').waitFor();
}

/** Files to be chosen, of a few bytes. */
function csvFiles(...names: string[]) {
  return names.map((name) => ({ name, mimeType: 'text/csv', buffer: Buffer.from('a,b\n') }));
}

const refused = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };

/** Answers as an API that is busy. */
async function isBusy(route: Route): Promise<void> {
  await route.fulfill({
    status: 503,
    contentType: 'application/problem+json',
    body: JSON.stringify({ ...problem('internal'), status: 503 }),
  });
}

describe('a result that cannot be fetched', () => {
  it('is fetched again when somebody asks for it, and only then', async () => {
    api.result = await profileOf(PROFILED_FILE);
    let refusals = 0;
    await page.route('**/results', async (route) => {
      refusals += 1;
      await (refusals === 1 ? route.fulfill(refused) : route.continue());
    });
    await open(`#/jobs/${jobId(15)}`);
    await page.getByText('The storage refused the result (status 403).').waitFor();
    // Also when the page is drawn anew.
    api.put(sampleJob(1, 'queued', { id: jobId(40) }));
    await page.locator(`[data-testid=job-row][data-job=${jobId(40)}]`).waitFor();
    expect(refusals).toBe(1);
    await page.getByTestId('preview-retry').click();
    await page.getByTestId('column').first().waitFor();
    expect(refusals).toBe(2);
  });

  it('is no reason to leave the page, and says why it was not downloaded', async () => {
    await page.route('**/results', (route) => route.fulfill(refused));
    await open(`#/jobs/${jobId(15)}`);
    await page.getByTestId('result').click();
    await page.getByText('The result could not be downloaded').waitFor();
    expect(page.url()).toBe(`${api.url}/#/jobs/${jobId(15)}`);
  });
});

describe('a download', () => {
  it('does not ask whether to leave the page while a file is being sent', async () => {
    await page.route('**/bucket', () => {}); // never answers
    await page.route('**/results', (route) =>
      route.fulfill({ body: '{}', headers: { 'content-disposition': 'attachment; filename="result.json"' } }),
    );
    await open(`#/jobs/${jobId(15)}`);
    await page.getByTestId('back').click();
    await page.getByTestId('file-input').setInputFiles(csvFiles('rows.csv'));
    await page.getByRole('heading', { name: 'rows.csv' }).waitFor();
    await page.locator(`[data-testid=job-row][data-job=${jobId(15)}]`).click();
    const downloads = page.waitForEvent('download');
    await page.getByTestId('result').click();
    expect((await downloads).suggestedFilename()).toBe('result.json');
    expect(dialogs).toEqual([]);
  });
});

describe('several files', () => {
  it('become jobs of the list, without a change of page', async () => {
    await open('#/');
    const before = await page.evaluate('history.length');
    await page.getByTestId('file-input').setInputFiles(csvFiles('one.csv', 'two.csv', 'three.csv'));
    for (const name of ['one.csv', 'two.csv', 'three.csv']) await page.getByText(name).waitFor();
    expect(await page.locator('h1').textContent()).toBe('Jobs');
    expect(await page.evaluate('history.length')).toBe(before);
  });
});

describe('an upload that failed', () => {
  it('is sent again as another job, and the one before is cancelled', async () => {
    let attempts = 0;
    await page.route('**/bucket', async (route) => {
      attempts += 1;
      await (attempts === 1 ? route.fulfill(refused) : route.continue());
    });
    await open('#/');
    await page.getByTestId('file-input').setInputFiles(csvFiles('rows.csv'));
    await page.getByRole('heading', { name: 'The upload failed' }).waitFor();
    expect(await page.getByTestId('status').textContent()).toBe('Waiting for file');
    const first = (await page.getByTestId('job').getAttribute('data-job')) ?? '';
    await page.getByText('Send it again').click();
    await page.locator(`[data-testid=job-row][data-job=${first}][data-status=cancelled]`).waitFor();
    await page.locator(`[data-testid=job]:not([data-job=${first}])`).waitFor();
    await expect.poll(() => api.uploads).toEqual([4]);
    expect(await page.getByTestId('notice').count()).toBe(0);
  });
});

describe('older jobs', () => {
  it('say so when they cannot be listed, and end where the list does', async () => {
    const all = Array.from({ length: 510 }, (_, index) =>
      galleryJob(1_000 - index, `${index}.csv`, { 'awaiting-upload': index + 10, queued: index + 5 }),
    );
    let busy = false;
    await page.route(/\/jobs\?/, async (route) => {
      if (busy) return await isBusy(route);
      const at = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const jobs = all.slice(at, at + 255);
      return await route.fulfill({ json: at === 0 ? { jobs, cursor: '255' } : { jobs, cursor: '510' } });
    });
    await open('#/');
    await page.getByTestId('older').waitFor();
    busy = true;
    await page.getByTestId('older').click();
    await page.getByText('Older jobs could not be listed').waitFor();
    busy = false;
    await page.getByTestId('older').click();
    await page.getByTestId('list-full').waitFor();
    expect(await page.getByTestId('job-row').count()).toBe(500);
    expect(await page.getByTestId('older').count()).toBe(0);
  });
});
