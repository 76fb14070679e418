import type { Route } from 'playwright-core';
import { describe, expect, it } from 'vitest';
import { problem } from '../../protocol/http.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';
import { galleryJob, PROFILED_FILE, profileOf } from './gallery.ts';
import { OpenGallery } from './open-gallery.ts';

const dialogs: string[] = [];
const gallery = OpenGallery.forThisFile((page) => {
  dialogs.length = 0;
  page.on('dialog', (dialog) => {
    dialogs.push(dialog.type());
    void dialog.accept();
  });
});

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
    gallery.api.result = await profileOf(PROFILED_FILE);
    let refusals = 0;
    await gallery.page.route('**/results', async (route) => {
      refusals += 1;
      await (refusals === 1 ? route.fulfill(refused) : route.continue());
    });
    await gallery.open(`#/jobs/${jobId(15)}`);
    await gallery.page.getByText('The storage refused the result (status 403).').waitFor();
    // Also when the page is drawn anew.
    gallery.api.put(sampleJob(1, 'queued', { id: jobId(40) }));
    await gallery.page.locator(`[data-testid=job-row][data-job=${jobId(40)}]`).waitFor();
    expect(refusals).toBe(1);
    await gallery.page.getByTestId('preview-retry').click();
    await gallery.page.getByTestId('column').first().waitFor();
    expect(refusals).toBe(2);
  });

  it('is no reason to leave the page, and says why it was not downloaded', async () => {
    await gallery.page.route('**/results', (route) => route.fulfill(refused));
    await gallery.open(`#/jobs/${jobId(15)}`);
    await gallery.page.getByTestId('result').click();
    await gallery.page.getByText('The result could not be downloaded').waitFor();
    expect(gallery.page.url()).toBe(`${gallery.api.url}/#/jobs/${jobId(15)}`);
  });
});

describe('a download', () => {
  it('does not ask whether to leave the page while a file is being sent', async () => {
    await gallery.page.route('**/bucket', () => {}); // never answers
    await gallery.page.route('**/results', (route) =>
      route.fulfill({ body: '{}', headers: { 'content-disposition': 'attachment; filename="result.json"' } }),
    );
    await gallery.open(`#/jobs/${jobId(15)}`);
    await gallery.page.getByTestId('back').click();
    await gallery.page.getByTestId('file-input').setInputFiles(csvFiles('rows.csv'));
    await gallery.page.getByRole('heading', { name: 'rows.csv' }).waitFor();
    await gallery.page.locator(`[data-testid=job-row][data-job=${jobId(15)}]`).click();
    const downloads = gallery.page.waitForEvent('download');
    await gallery.page.getByTestId('result').click();
    expect((await downloads).suggestedFilename()).toBe('result.json');
    expect(dialogs).toEqual([]);
  });
});

describe('several files', () => {
  it('become jobs of the list, without a change of page', async () => {
    await gallery.open('#/');
    const before = await gallery.page.evaluate('history.length');
    await gallery.page.getByTestId('file-input').setInputFiles(csvFiles('one.csv', 'two.csv', 'three.csv'));
    for (const name of ['one.csv', 'two.csv', 'three.csv']) await gallery.page.getByText(name).waitFor();
    expect(await gallery.page.locator('h1').textContent()).toBe('Jobs');
    expect(await gallery.page.evaluate('history.length')).toBe(before);
  });
});

describe('an upload that failed', () => {
  it('is sent again as another job, and the one before is cancelled', async () => {
    let attempts = 0;
    await gallery.page.route('**/bucket', async (route) => {
      attempts += 1;
      await (attempts === 1 ? route.fulfill(refused) : route.continue());
    });
    await gallery.open('#/');
    await gallery.page.getByTestId('file-input').setInputFiles(csvFiles('rows.csv'));
    await gallery.page.getByRole('heading', { name: 'The upload failed' }).waitFor();
    expect(await gallery.page.getByTestId('status').textContent()).toBe('Waiting for file');
    const first = (await gallery.page.getByTestId('job').getAttribute('data-job')) ?? '';
    await gallery.page.getByText('Send it again').click();
    await gallery.page.locator(`[data-testid=job-row][data-job=${first}][data-status=cancelled]`).waitFor();
    await gallery.page.locator(`[data-testid=job]:not([data-job=${first}])`).waitFor();
    await expect.poll(() => gallery.api.uploads).toEqual([4]);
    expect(await gallery.page.getByTestId('notice').count()).toBe(0);
  });
});

describe('older jobs', () => {
  it('say so when they cannot be listed, and end where the list does', async () => {
    const all = Array.from({ length: 510 }, (_, index) =>
      galleryJob(1_000 - index, `${index}.csv`, { 'awaiting-upload': index + 10, queued: index + 5 }),
    );
    let busy = false;
    await gallery.page.route(/\/jobs\?/, async (route) => {
      if (busy) return await isBusy(route);
      const at = Number(new URL(route.request().url()).searchParams.get('cursor') ?? 0);
      const jobs = all.slice(at, at + 255);
      return await route.fulfill({ json: at === 0 ? { jobs, cursor: '255' } : { jobs, cursor: '510' } });
    });
    await gallery.open('#/');
    await gallery.page.getByTestId('older').waitFor();
    busy = true;
    await gallery.page.getByTestId('older').click();
    await gallery.page.getByText('Older jobs could not be listed').waitFor();
    busy = false;
    await gallery.page.getByTestId('older').click();
    await gallery.page.getByTestId('list-full').waitFor();
    expect(await gallery.page.getByTestId('job-row').count()).toBe(500);
    expect(await gallery.page.getByTestId('older').count()).toBe(0);
  });
});
