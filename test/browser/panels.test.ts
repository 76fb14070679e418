import { describe, expect, it } from 'vitest';
import { jobId } from '../client/sample-job.ts';
import { OpenGallery } from './open-gallery.ts';

const gallery = OpenGallery.forThisFile();

/** Commits three states of a job now, and waits until the page shows the last of them. */
async function threeStates(): Promise<void> {
  const job = gallery.api.job(jobId(17));
  if (job === undefined) throw new Error('the gallery has no such job');
  for (const seq of [1, 2, 3]) {
    gallery.api.put({ ...job, seq: job.seq + seq, updatedAt: new Date().toISOString() });
  }
  await gallery.page.locator(`[data-testid=job][data-seq="${job.seq + 3}"]`).waitFor();
}

describe('the connection panel', () => {
  it('tells the state, and counts frames, reconnects and latencies of what came live alone', async () => {
    await gallery.open(`#/jobs/${jobId(17)}`);
    await gallery.page.getByTestId('connection-open').click();
    const panel = gallery.page.getByTestId('connection-panel');
    await panel.getByText('Every change shows here the moment it is committed.').waitFor();
    await panel.getByLabel('Latencies: none measured yet').waitFor();
    const figures = async () => [
      await gallery.page.getByTestId('frames').textContent(),
      await gallery.page.getByTestId('reconnects').textContent(),
    ];
    expect(await figures()).toEqual(['0', '0']);
    await threeStates();
    expect(await figures()).toEqual(['3', '0']);
    await panel.getByLabel(/^The last 3 latencies: median \d+ ms, newest \d+ ms$/).waitFor();
    expect(await panel.locator('circle').count()).toBe(3);
    gallery.api.cut();
    await panel.getByText('The connection was lost.').waitFor();
    await panel.getByText('Every change shows here the moment it is committed.').waitFor();
    await threeStates();
    expect(await figures()).toEqual(['6', '1']);
  });

  it('has its light in sight wherever the page is scrolled to, but where the window is low', async () => {
    await gallery.open('#/');
    const top = async () => (await gallery.page.getByTestId('connection').boundingBox())?.y;
    await gallery.page.mouse.wheel(0, 10_000);
    await expect.poll(() => gallery.page.evaluate('scrollY')).toBeGreaterThan(100);
    expect(await top()).toBeGreaterThan(0);
    await gallery.page.setViewportSize({ width: 640, height: 320 });
    await gallery.page.mouse.wheel(0, 10_000);
    await expect.poll(top).toBeLessThan(0);
  });

  it('closes by Escape, which then does not leave the job', async () => {
    await gallery.open(`#/jobs/${jobId(17)}`);
    await gallery.page.getByTestId('connection-open').focus();
    await gallery.page.keyboard.press('Enter');
    await gallery.page.getByTestId('frames').waitFor();
    await gallery.page.keyboard.press('Escape');
    await gallery.page.getByTestId('frames').waitFor({ state: 'detached' });
    expect(await gallery.page.getByTestId('job').count()).toBe(1);
    expect(await gallery.page.evaluate('document.activeElement.dataset.testid')).toBe('connection-open');
  });
});

describe('who watches', () => {
  it('is asked for once it is opened, and says what each has confirmed', async () => {
    const since = new Date().toISOString();
    gallery.api.watchers = [
      { id: '3f9ac1d07be24410', topic: 'job', since, confirmed: { seq: 1057, at: since } },
      { id: 'c40d19e6b7a2f853', topic: 'owner', since },
    ];
    await gallery.open(`#/jobs/${jobId(17)}`);
    expect(gallery.api.requests.filter((request) => request.endsWith('/watchers'))).toEqual([]);
    await gallery.page.locator('[data-testid=watchers] summary').click();
    await gallery.page.getByTestId('watcher').first().waitFor();
    const rows = await gallery.page
      .getByTestId('watcher')
      .evaluateAll((all) => all.map((row) => [...row.children].map((cell) => cell.textContent)));
    expect(rows.map(([who, , confirmed]) => [who, confirmed])).toEqual([
      ['3f9ac1d0 this job', '1,057'],
      ['c40d19e6 all jobs', '–'],
    ]);
  });
});
