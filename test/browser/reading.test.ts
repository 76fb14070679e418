import { describe, expect, it } from 'vitest';
import { problem } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import { jobId } from '../client/sample-job.ts';
import { galleryJobs } from './gallery.ts';
import { OpenGallery } from './open-gallery.ts';

/** Runs in the page: notes what a screen reader would say of itself. */
const LISTEN = `(() => {
  window.spoken = [];
  const regionOf = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest('[aria-live], [role=alert]');
  new MutationObserver((records) => {
    for (const { target, addedNodes } of records) {
      for (const node of [target, ...addedNodes]) {
        const regions = [regionOf(node), ...(node.nodeType === 1 ? node.querySelectorAll('[aria-live], [role=alert]') : [])];
        for (const region of regions) {
          const text = region?.textContent;
          if (text && spoken.at(-1) !== text) spoken.push(text);
        }
      }
    }
  }).observe(document, { subtree: true, childList: true, characterData: true });
})()`;

const gallery = OpenGallery.forThisFile((page) => page.addInitScript(LISTEN));

/** What has been said since the last time. */
async function spoken(): Promise<unknown> {
  return await gallery.page.evaluate('spoken.splice(0)');
}

/** All that has been said. */
async function heard(): Promise<unknown> {
  return await gallery.page.evaluate('spoken');
}

/** The text of what has the focus. */
async function focused(): Promise<unknown> {
  return await gallery.page.evaluate(
    'document.activeElement.tagName + " " + document.activeElement.textContent',
  );
}

const INPUT = { contentType: 'text/csv', size: 1 } as const;

async function shows(job: Pick<Job, 'id' | 'seq'>): Promise<void> {
  await gallery.page.locator(`[data-testid=job][data-job=${job.id}][data-seq="${job.seq}"]`).waitFor();
}

function jobOf(number: number): Job {
  const job = gallery.api.job(jobId(number));
  if (job === undefined) throw new Error(`the gallery has no job ${number}`);
  return job;
}

describe('a screen reader', () => {
  it('hears what changes, once, and nothing of how things stood', async () => {
    const job = jobOf(17);
    await gallery.open(`#/jobs/${job.id}`);
    await shows(job);
    const failed = {
      ...job,
      seq: job.seq + 2,
      status: 'failed',
      error: { code: 'broken', title: 'It broke', retryable: true },
    } as const;
    const stalled = { ...job, seq: job.seq + 1, stalled: true };
    gallery.api.put(stalled);
    await shows(stalled);
    await expect.poll(spoken).toEqual(['measurements.csv: Running, not heard from for a while']);
    gallery.api.put(failed);
    await shows(failed);
    await expect.poll(spoken).toEqual(['measurements.csv: Failed, It broke']);
    // An old failure, and the same one again.
    await gallery.page.goto(`${gallery.api.url}/#/jobs/${jobId(14)}`);
    await shows(jobOf(14));
    await gallery.page.getByTestId('back').click();
    await gallery.page.getByTestId('drop-zone').waitFor();
    await gallery.page.goto(`${gallery.api.url}/#/jobs/${jobId(14)}`);
    await shows(jobOf(14));
  });

  it('hears of a connection that is lost for long, and not of one that is back at once', async () => {
    await gallery.open('#/');
    gallery.api.cut();
    await gallery.page.locator('[data-connection=reconnecting]').waitFor();
    await gallery.page.locator('[data-connection=live]').waitFor();
    expect(await spoken()).toEqual([]);
    await gallery.page.route(/\/(tickets|jobs)/, (route) => route.abort());
    gallery.api.unreachable = true;
    gallery.api.cut();
    await expect.poll(heard, { timeout: 10_000 }).toEqual(['Reconnecting']);
  });

  it('hears how many jobs a search has found, once it is typed', async () => {
    await gallery.open('#/');
    await gallery.page.getByTestId('search').pressSequentially('readings');
    await expect.poll(heard, { timeout: 5_000 }).toEqual(['12 of 19 jobs']);
    const job = jobOf(17);
    gallery.api.put({ ...job, id: jobId(70), input: { ...INPUT, fileName: 'readings-x.csv' } });
    await gallery.page.getByText('readings-x.csv').waitFor();
    await gallery.page.getByTestId('search').fill('');
    await expect.poll(heard, { timeout: 5_000 }).toEqual(['12 of 19 jobs', '20 jobs']);
  });

  it('hears once why nothing more comes', async () => {
    const { page, api } = gallery;
    const refusal = { status: 401, contentType: 'application/problem+json' };
    const body = JSON.stringify({ ...problem('unauthorized'), status: 401 });
    await page.route(/\/(tickets|jobs)/, (route) => route.fulfill({ ...refusal, body }));
    await page.goto(`${api.url}/#/`);
    await expect.poll(async () => String(await heard())).toContain('Sign in again');
    // The announcer speaks of the connection some seconds later.
    await expect.poll(async () => String(await heard()), { timeout: 10_000 }).toMatch(/,Not connected$/);
    expect(String(await heard()).split('Sign in again')).toHaveLength(2);
  });

  it('hears a complaint at once', async () => {
    await gallery.open('#/');
    await gallery.page
      .getByTestId('file-input')
      .setInputFiles({ name: 'empty.csv', mimeType: 'text/csv', buffer: Buffer.alloc(0) });
    await expect.poll(async () => String(await spoken())).toContain('is empty: there is nothing to process');
  });
});

describe('the keyboard', () => {
  it('comes to the heading with each page, and past the list by one key', async () => {
    await gallery.open('#/');
    expect(await focused()).toMatch(/^BODY/);
    await gallery.page.keyboard.press('j');
    await gallery.page.keyboard.press('Enter');
    await expect.poll(focused).toBe('H1 meter-readings-2026-11.csv');
    await gallery.page.keyboard.press('Tab');
    expect(await focused()).toBe('BUTTON Cancel job');
    await gallery.page.keyboard.press('Escape');
    await expect.poll(focused).toBe('H1 Jobs');
    // A search is no other page.
    await gallery.page.keyboard.press('/');
    await gallery.page.keyboard.type('meter');
    expect(await gallery.page.getByTestId('search').inputValue()).toBe('meter');

    await gallery.page.goto(`${gallery.api.url}/#/jobs/${jobId(17)}`);
    await gallery.page.reload();
    await shows(jobOf(17));
    await gallery.page.keyboard.press('Tab');
    expect(await focused()).toBe('BUTTON Skip to content');
    expect((await gallery.page.getByTestId('skip').boundingBox())?.height).toBeGreaterThan(24);
    await gallery.page.keyboard.press('Enter');
    expect(await focused()).toBe('H1 measurements.csv');
  });

  it('chooses a file from wherever it is', async () => {
    await gallery.open(`#/jobs/${jobId(17)}`);
    await shows(jobOf(17));
    const chooser = gallery.page.waitForEvent('filechooser');
    await gallery.page.keyboard.press('u');
    await (await chooser).setFiles({ name: 'keyed.csv', mimeType: 'text/csv', buffer: Buffer.from('a') });
    await gallery.page.getByRole('heading', { name: 'keyed.csv' }).waitFor();
  });
});

describe('the title', () => {
  it('says how far the job is, and how it ended', async () => {
    await gallery.open('#/');
    expect(await gallery.page.title()).toBe('Jobwire');
    await gallery.page.getByTestId('job-row').filter({ hasText: 'measurements.csv' }).click();
    await expect.poll(() => gallery.page.title()).toBe('42 % measurements.csv – Jobwire');
    gallery.api.put({ ...jobOf(17), seq: jobOf(17).seq + 1, status: 'succeeded' });
    await expect.poll(() => gallery.page.title()).toBe('Succeeded: measurements.csv – Jobwire');
    await gallery.page.getByTestId('back').click();
    await expect.poll(() => gallery.page.title()).toBe('Jobwire');
  });
});

describe('a job that stalls', () => {
  it('looks it in the list, and is found', async () => {
    await gallery.open('#/');
    const job = { ...jobOf(17), seq: jobOf(17).seq + 1, stalled: true };
    gallery.api.put(job);
    const row = gallery.page.locator(`[data-testid=job-row][data-job=${job.id}]`);
    await row.getByText('Stalled').waitFor();
    await gallery.page.getByTestId('filter-stalled').click();
    await expect.poll(() => gallery.page.getByTestId('job-row').count()).toBe(1 + STALLED_ALREADY);
    expect(await row.count()).toBe(1);
    gallery.api.put({ ...job, seq: job.seq + 1, stalled: false });
    await expect.poll(() => row.count()).toBe(0);
  });
});

/** How many jobs of the gallery are stalled to begin with. */
const STALLED_ALREADY = galleryJobs().filter(({ stalled }) => stalled).length;

it('bars are seen with colours of the reader’s own', async () => {
  await gallery.page.emulateMedia({ forcedColors: 'active' });
  await gallery.open(`#/jobs/${jobId(17)}`);
  // What they are made of is drawn as it is told, and told in the reader's colours.
  const drawn =
    await gallery.page.evaluate(`['.progress .bar', '.timeline-bar', '.chip-mark'].map((selector) => {
    const style = getComputedStyle(document.querySelector(selector));
    return [style.forcedColorAdjust, style.getPropertyValue('--accent')];
  })`);
  expect(drawn).toEqual(Array(3).fill(['none', 'CanvasText']));
});
