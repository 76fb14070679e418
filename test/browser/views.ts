import type { Page } from 'playwright-core';
import { problem } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import { jobId } from '../client/sample-job.ts';
import type { FakeApi } from './fake-api.ts';
import { galleryJobs, PROFILED_FILE, profileOf } from './gallery.ts';

/** One thing that the page can show. */
export interface View {
  readonly name: string;
  /** Brings the page there; resolves when it stands. */
  show(page: Page, api: FakeApi): Promise<void>;
}

function withJobs(hash: string, rest: (page: Page, api: FakeApi) => Promise<void>) {
  return async (page: Page, api: FakeApi) => {
    for (const job of galleryJobs()) api.put(job);
    await page.goto(`${api.url}/${hash}`);
    await page.locator('[data-connection=live]').waitFor();
    await page.getByTestId('job-list').waitFor({ state: 'attached' });
    await rest(page, api);
  };
}

async function open(number: number, page: Page): Promise<void> {
  await page.locator(`[data-testid=job][data-job=${jobId(number)}]`).waitFor();
}

const REFUSED = { status: 400, body: '<Error><Code>EntityTooLarge</Code></Error>' };

async function chooseFile(page: Page, content: string): Promise<void> {
  const file = { name: 'rows.csv', mimeType: 'text/csv', buffer: Buffer.from(content) };
  await page.getByTestId('file-input').setInputFiles(file);
}

/** Lets a job run for a while in front of the page, by reports that lie a second apart. */
export async function run(api: FakeApi, page: Page, job: Job): Promise<Job> {
  // In front of the page, so that it has seen the step begin.
  let state = job;
  for (let report = 0; report <= 8; report += 1) {
    const fraction = 0.42 + report * 0.04;
    state = {
      ...state,
      seq: state.seq + 1,
      updatedAt: new Date(Date.now() - (8 - report) * 1_000).toISOString(),
      progress: { done: fraction * 314_572_800, total: 314_572_800, unit: 'bytes', fraction },
      message: `${Math.round(fraction * 2_400_000).toLocaleString('en')} rows read, 3 of them malformed`,
    };
    api.put(state);
    await page.locator(`[data-testid=job][data-seq="${state.seq}"]`).waitFor();
  }
  return state;
}

/** Every view. */
export const VIEWS: readonly View[] = [
  {
    name: 'no-jobs',
    async show(page, api) {
      await page.goto(`${api.url}/#/`);
      await page.getByTestId('empty').waitFor();
    },
  },
  { name: 'jobs', show: withJobs('#/', async () => {}) },
  {
    name: 'jobs-found',
    show: withJobs('#/?status=succeeded&tag=nightly&q=readings', async (page) => {
      await page.getByTestId('job-row').first().waitFor();
    }),
  },
  {
    name: 'nothing-found',
    show: withJobs('#/', async (page) => {
      await page.getByTestId('search').fill('no such file');
      await page.getByTestId('nothing-found').waitFor();
    }),
  },
  {
    name: 'running',
    show: withJobs(`#/jobs/${jobId(17)}`, async (page, api) => {
      const job = api.job(jobId(17));
      if (job !== undefined) await run(api, page, job);
    }),
  },
  {
    name: 'watchers',
    show: withJobs(`#/jobs/${jobId(17)}`, async (page, api) => {
      const since = new Date(Date.now() - 600_000).toISOString();
      api.watchers = [
        { id: '3f9ac1d07be24410', topic: 'job', since, confirmed: { seq: 57, at: since } },
        { id: '81be77f2a0c3d95e', topic: 'tag', since, confirmed: { seq: 55, at: since } },
        { id: 'c40d19e6b7a2f853', topic: 'owner', since },
      ];
      await page.locator('[data-testid=watchers] summary').click();
      await page.getByTestId('watcher').first().waitFor();
    }),
  },
  {
    name: 'uploading',
    show: withJobs('#/', async (page) => {
      await page.route('**/bucket', () => {}); // never answers
      await chooseFile(page, 'a,b\n1,2\n');
      await page.getByTestId('doing').getByText('Uploading').waitFor();
    }),
  },
  {
    name: 'upload-failed',
    show: withJobs('#/', async (page) => {
      await page.route('**/bucket', (route) => route.fulfill(REFUSED));
      await chooseFile(page, 'a,b\n1,2\n');
      await page.getByText('The storage refused the file (EntityTooLarge)').waitFor();
      await page.locator('.job progress[value="0"]').waitFor();
    }),
  },
  { name: 'waiting', show: withJobs(`#/jobs/${jobId(19)}`, (page) => open(19, page)) },
  { name: 'stalled', show: withJobs(`#/jobs/${jobId(16)}`, (page) => open(16, page)) },
  {
    name: 'succeeded',
    async show(page, api) {
      api.result = await profileOf(PROFILED_FILE);
      await withJobs(`#/jobs/${jobId(15)}`, async () => {
        await page.getByTestId('column').first().waitFor();
      })(page, api);
    },
  },
  {
    name: 'preview-failed',
    show: withJobs(`#/jobs/${jobId(15)}`, async (page) => {
      await page.getByTestId('preview-retry').waitFor();
      await page.getByText('It is not what this page knows as a profile').waitFor();
    }),
  },
  { name: 'failed', show: withJobs(`#/jobs/${jobId(14)}`, (page) => open(14, page)) },
  { name: 'cancelled', show: withJobs(`#/jobs/${jobId(13)}`, (page) => open(13, page)) },
  {
    name: 'unknown-job',
    show: withJobs(`#/jobs/${jobId(99)}`, async (page) => {
      await page.getByText('There is no such job here').waitFor();
    }),
  },
  {
    name: 'connection',
    show: withJobs(`#/jobs/${jobId(17)}`, async (page, api) => {
      const job = api.job(jobId(17));
      if (job === undefined) return;
      await open(17, page);
      for (let count = 1; count <= 60; count += 1) {
        const late = 12 + 8 * Math.sin(count) + (count % 17 === 0 ? 300 : 0);
        api.put({ ...job, seq: job.seq + count, updatedAt: new Date(Date.now() - late).toISOString() });
      }
      await page.locator(`[data-testid=job][data-seq="${job.seq + 60}"]`).waitFor();
      await page.getByTestId('connection-open').click();
      await page.getByTestId('frames').waitFor();
    }),
  },
  {
    name: 'polling',
    async show(page, api) {
      api.unreachable = true;
      for (const job of galleryJobs()) api.put(job);
      await page.goto(`${api.url}/#/jobs/${jobId(17)}`);
      await page.locator('[data-connection=polling]').waitFor();
      await open(17, page);
      await page.getByTestId('connection-open').click();
      await page.getByTestId('frames').waitFor();
    },
  },
  {
    name: 'reconnecting',
    show: withJobs('#/', async (page, api) => {
      await page.route(/\/(tickets|jobs)/, (route) => route.abort());
      api.unreachable = true;
      api.cut();
      await page.locator('[data-connection=reconnecting]').waitFor();
    }),
  },
  {
    name: 'unreachable',
    async show(page, api) {
      await page.route(/\/(tickets|jobs)/, (route) => route.abort());
      await page.goto(`${api.url}/#/jobs/${jobId(17)}`);
      await page.getByText('The server cannot be reached').waitFor();
    },
  },
  {
    name: 'signed-out',
    async show(page, api) {
      const body = JSON.stringify({ ...problem('forbidden'), status: 401 });
      await page.route(/\/(tickets|jobs)/, (route) =>
        route.fulfill({ status: 401, contentType: 'application/problem+json', body }),
      );
      await page.goto(`${api.url}/#/`);
      await page.locator('[data-connection=closed]').waitFor();
      await page.getByText('You are not allowed to watch here. Sign in again.').waitFor();
    },
  },
  {
    name: 'not-deployed',
    async show(page, api) {
      await page.route(`${api.url}/`, async (route) => {
        const response = await route.fetch();
        const body = (await response.text()).replace(/(name="jobwire-api" content=)"[^"]*"/, '$1"{{api}}"');
        await route.fulfill({ response, body });
      });
      await page.goto(`${api.url}/`);
      await page.getByText('This page does not know its API').waitFor();
    },
  },
  {
    name: 'shortcuts',
    show: withJobs('#/', async (page) => {
      await page.getByTestId('shortcuts-open').click();
      await page.getByTestId('shortcuts').waitFor();
    }),
  },
  {
    name: 'refused-file',
    async show(page, api) {
      await page.goto(`${api.url}/#/`);
      await chooseFile(page, '');
      await page.getByText('is empty: there is nothing to process').waitFor();
    },
  },
];
