import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError } from '../../client/errors.ts';
import { problem } from '../../protocol/http.ts';
import { JobListing } from '../../web/job-listing.ts';
import { jobId, sampleJob } from '../client/sample-job.ts';

/** A list of pages of one job each, that fails as often as it is told. */
class Pages {
  readonly asked: (string | undefined)[] = [];
  readonly learned: string[] = [];
  failures = 0;
  readonly listing: JobListing;

  constructor(count: number) {
    this.listing = new JobListing({
      random: () => 0.999,
      learn: (jobs) => this.learned.push(...jobs.map(({ id }) => id)),
      list: async ({ cursor }) => {
        this.asked.push(cursor);
        this.failures -= 1;
        if (this.failures >= 0) throw new ProblemError(problem('internal'), undefined);
        const page = Number(cursor ?? 0);
        const jobs = [sampleJob(1, 'queued', { id: jobId(page) })];
        return page + 1 < count ? { jobs, cursor: String(page + 1) } : { jobs };
      },
    });
  }

  /** The connection is made, or lost and made. */
  async connect(): Promise<void> {
    this.listing.follow({ status: 'reconnecting', since: 0 });
    this.listing.follow({ status: 'live' });
    await vi.advanceTimersByTimeAsync(0);
  }
}

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

describe('the list', () => {
  it('is asked once a connection', async () => {
    const pages = new Pages(1);
    pages.listing.follow({ status: 'live' });
    pages.listing.follow({ status: 'live' });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pages.asked).toHaveLength(1);
    await pages.connect();
    expect(pages.asked).toHaveLength(2);
    expect(pages.listing.state.value).toEqual({ status: 'ready' });
  });

  it('is asked again while the connection lives, ever more rarely, until it comes', async () => {
    const pages = new Pages(1);
    pages.failures = 4;
    await pages.connect();
    expect(pages.listing.state.value).toMatchObject({ status: 'failed' });
    await vi.advanceTimersByTimeAsync(500);
    expect(pages.asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(500);
    expect(pages.asked).toHaveLength(2);
    await vi.advanceTimersByTimeAsync(10_000);
    expect(pages.asked).toHaveLength(5);
    expect(pages.learned).toEqual([jobId(0)]);
    expect(pages.listing.state.value).toEqual({ status: 'ready' });
  });

  it('is not asked without a connection, and at once with the next', async () => {
    const pages = new Pages(1);
    await pages.connect();
    pages.failures = 1;
    await pages.connect();
    pages.listing.follow({ status: 'reconnecting', since: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pages.asked).toHaveLength(2);
    await pages.connect();
    expect(pages.learned).toHaveLength(2);
  });

  it('tries without a connection while there is nothing to show', async () => {
    const pages = new Pages(1);
    pages.failures = 1;
    pages.listing.follow({ status: 'reconnecting', since: 0 });
    await vi.advanceTimersByTimeAsync(60_000);
    expect(pages.listing.state.value).toMatchObject({ status: 'failed' });
    expect(pages.asked).toHaveLength(1);
  });
});

describe('older jobs', () => {
  it('go on where they were, through a failure and a new connection', async () => {
    const pages = new Pages(4);
    await pages.connect();
    const asking = pages.listing.older();
    expect(pages.listing.state.value).toEqual({ status: 'ready', cursor: '1', asking: true });
    await pages.listing.older();
    await asking;
    expect(pages.asked).toEqual([undefined, '1']);
    pages.failures = 1;
    await expect(pages.listing.older()).rejects.toThrow(ProblemError);
    expect(pages.listing.state.value).toEqual({ status: 'ready', cursor: '2' });
    pages.learned.length = 0;
    await pages.connect();
    // What was shown may have changed in between, however old it is.
    expect(pages.learned).toEqual([jobId(0), jobId(1)]);
    await pages.listing.older();
    await pages.listing.older();
    expect(pages.learned).toEqual([0, 1, 2, 3].map(jobId));
    expect(pages.listing.state.value).toEqual({ status: 'ready' });
  });
});
