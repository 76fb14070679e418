import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { jobId, sampleJob } from '../client/sample-job.ts';
import { FakeApi } from './fake-api.ts';
import { PROFILED_FILE, profileOf } from './gallery.ts';
import { launchBrowser } from './launch.ts';

let browser: Browser;
let api: FakeApi;
let page: Page;
const faults: string[] = [];

beforeAll(async () => {
  browser = await launchBrowser();
}, 60_000);
afterAll(async () => {
  await browser.close();
});
beforeEach(async () => {
  faults.length = 0;
  api = await FakeApi.start();
  page = await browser.newPage();
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    if (/content security policy/i.test(message.text())) faults.push(message.text());
  });
});
afterEach(async () => {
  await page.context().close();
  await api[Symbol.asyncDispose]();
  expect(faults).toEqual([]);
});

async function open(hash: string): Promise<void> {
  await page.goto(`${api.url}/${hash}`);
  await page.locator('[data-connection=live]').waitFor();
}

describe('the page', () => {
  it('uploads a file and shows its job to the end without asking for it once', async () => {
    await open('#/');
    await page.getByTestId('empty').waitFor();
    await page.getByTestId('file-input').setInputFiles({
      name: '<img src=x onerror=alert(2)>.csv',
      mimeType: 'text/csv',
      buffer: Buffer.from('a,b\n1,2\n'),
    });
    await page.locator('[data-testid=job][data-status=awaiting-upload]').waitFor();
    const id = (await page.getByTestId('job').getAttribute('data-job')) ?? '';
    const job = api.job(id);
    if (job === undefined) throw new Error(`the page shows an unknown job ${id}`);
    expect(await page.locator('h1').textContent()).toBe('<img src=x onerror=alert(2)>.csv');

    const progress = { done: 4, total: 10, unit: 'rows', fraction: 0.4 };
    const step = { name: 'profile', index: 2, count: 3 };
    api.put({ ...job, seq: 5, status: 'running', progress, step, message: '<img src=x onerror=alert(1)>' });
    await page.locator('[data-testid=job][data-seq="5"]').waitFor();
    expect(await page.getByTestId('message').textContent()).toBe('<img src=x onerror=alert(1)>');
    expect(await page.getByTestId('progress').textContent()).toContain('4 of 10 rows');

    api.result = await profileOf(PROFILED_FILE);
    const result = { href: `/jobs/${id}/result`, contentType: 'application/json', size: 10 };
    api.put({ ...job, seq: 6, status: 'succeeded', result });
    await page.locator('[data-testid=status][data-status=succeeded]').waitFor();
    expect(await page.getByTestId('result').getAttribute('href')).toBe(`${api.url}/jobs/${id}/result`);
    await page.locator('[data-testid=profile][data-preview=ready]').waitFor();
    expect(await page.getByTestId('column').count()).toBe(14);
    expect(api.uploads).toEqual([8]);
    // The result is fetched for its preview, the list by the page and once the topic is subscribed; the job itself never.
    expect(api.requests.filter((request) => request.startsWith('GET /jobs'))).toEqual([
      'GET /jobs',
      'GET /jobs',
      `GET /jobs/${id}/result`,
    ]);
  });

  it('says that it reconnects, resumes, and learns of what came up in between', async () => {
    api.put(sampleJob(3));
    await open(`#/jobs/${jobId(1)}`);
    api.unreachable = true;
    api.cut();
    await page.locator('[data-connection=reconnecting]').waitFor();
    api.put(sampleJob(4));
    api.put(sampleJob(1, 'queued', { id: jobId(2) }));
    api.unreachable = false;
    await page.locator('[data-connection=live]').waitFor();
    await page.locator('[data-testid=job][data-seq="4"]').waitFor();
    await page.locator(`[data-testid=job-row][data-job=${jobId(2)}]`).waitFor();
  });

  it('cancels, and shows jobs of others as they are made', async () => {
    api.put(sampleJob(3));
    await open(`#/jobs/${jobId(1)}`);
    await page.getByTestId('cancel').click();
    await page.locator('[data-testid=status][data-status=cancelled]').waitFor();
    api.put(sampleJob(1, 'queued', { id: jobId(2), createdAt: '2026-11-23T12:00:01.000Z' }));
    await page.locator(`[data-testid=job-row][data-job=${jobId(2)}]`).waitFor();
    const rows = await page
      .getByTestId('job-row')
      .evaluateAll((all) => all.map((row) => row.getAttribute('data-job')));
    expect(rows).toEqual([jobId(2), jobId(1)]);
  });

  it('explains an unknown job, an empty file and a refused one in sentences', async () => {
    await open(`#/jobs/${jobId(5)}`);
    await page.getByText('There is no such job here').waitFor();
    await open('#/');
    const input = page.getByTestId('file-input');
    await input.setInputFiles({ name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) });
    await page.getByText('is empty: there is nothing to process').waitFor();
    api.refuseCreation = true;
    await input.setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('a') });
    await page.getByText('<b>too</b> large').waitFor();
    expect(api.requests.filter((request) => request === 'POST /jobs')).toHaveLength(1);
  });

  it('says so when the API cannot be reached, and gets over it', async () => {
    await page.route(/\/(tickets|jobs)(\?|$)/, (route) => route.abort());
    api.put(sampleJob(3));
    await page.goto(`${api.url}/#/jobs/${jobId(1)}`);
    await page.getByText('The server cannot be reached').waitFor();
    await page.getByTestId('list-error').waitFor();
    expect(await page.getByTestId('connection').getAttribute('data-connection')).not.toBe('live');
    await page.unrouteAll();
    await page.locator('[data-testid=job][data-seq="3"]').waitFor();
    await page.getByTestId('job-row').waitFor();
  });

  it('takes a dropped file, and one chosen by keyboard', async () => {
    await open('#/');
    const files = await page.evaluateHandle(`(() => {
      const transfer = new DataTransfer();
      transfer.items.add(new File(['a,b'], 'dropped.csv', { type: 'text/csv' }));
      return transfer;
    })()`);
    await page.getByTestId('drop-zone').dispatchEvent('drop', { dataTransfer: files });
    await page.locator('[data-testid=job]').waitFor();
    expect(await page.locator('h1').textContent()).toBe('dropped.csv');
    await open('#/');
    await page.getByTestId('shortcuts-open').focus();
    await page.keyboard.press('Tab');
    const chooser = page.waitForEvent('filechooser');
    await page.keyboard.press('Space');
    await (await chooser).setFiles({ name: 'keyed.csv', mimeType: 'text/csv', buffer: Buffer.from('a') });
    await page.getByRole('heading', { name: 'keyed.csv' }).waitFor();
  });
});
