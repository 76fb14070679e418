import { createElement, type ReactNode, StrictMode, useLayoutEffect } from 'react';
import { renderToString } from 'react-dom/server';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { JobwireClient } from '../../client/client.ts';
import { JobwireProvider } from '../../react/provider.ts';
import { type UsedUpload, type UseUploadOptions, useUpload } from '../../react/use-upload.ts';
import { startUploadSetting, type UploadSetting } from '../client/upload-setting.ts';
import { Page } from './page.ts';

const FILE = new File(['city,people\nUlm,128000\n'], 'cities.csv', { type: 'text/csv' });

let running: UploadSetting;
let client: JobwireClient;
let page: Page;
/** The newest result that was committed. */
let used: UsedUpload;
let commits: UsedUpload[];
beforeEach(async () => {
  running = await startUploadSetting();
  client = running.client();
  page = new Page();
  commits = [];
});
afterEach(async () => {
  page.unmount();
  await running.close();
});

/** What an application would write. */
function Send({ options }: { readonly options: UseUploadOptions }): ReactNode {
  const result = useUpload(options);
  useLayoutEffect(() => {
    used = result;
    commits.push(result);
  });
  const { status, progress, job, error } = result;
  const percent = progress === undefined ? '-' : Math.floor(progress.fraction * 100);
  return `${status} ${percent} ${job?.status ?? '-'} ${error instanceof Error ? error.name : '-'}`;
}

function application(options: UseUploadOptions = { kind: 'csv-profile' }): ReactNode {
  return createElement(
    StrictMode,
    {},
    createElement(JobwireProvider, { client }, createElement(Send, { options })),
  );
}

/** Holds what is sent to S3 until the returned function is called. */
function holdStorage(): Promise<void> {
  const held = Promise.withResolvers<void>();
  running.fate = (request) => {
    if (request !== 'PUT') return 'pass';
    held.resolve();
    return 'hang';
  };
  return held.promise;
}

async function show(): Promise<void> {
  page.render(application());
  await page.shows('idle - - -');
}

it('sends a file and gives its job, by functions that stay the same', async () => {
  await show();
  const { start, stop } = used;
  start(FILE);
  await page.shows('uploaded 100 awaiting-upload -');
  expect(used).toMatchObject({ start, stop, progress: { sent: FILE.size, total: FILE.size } });
  expect(used.job?.input).toMatchObject({ fileName: 'cities.csv', contentType: 'text/csv' });
  expect(running.asked.filter((call) => call === 'POST /jobs')).toHaveLength(1);
  // What is over cannot be stopped: the work goes on.
  stop();
  const before = commits.length;
  page.render(application());
  await vi.waitFor(() => expect(commits.length).toBeGreaterThan(before));
  expect(used.status).toBe('uploaded');
});

it('stops, cancels the job, and starts anew', async () => {
  await show();
  const held = holdStorage();
  used.start(FILE);
  await held;
  const id = used.job?.id ?? '';
  used.stop();
  await vi.waitFor(() => expect(page.text).toMatch(/^stopped/));
  await vi.waitFor(async () => expect((await running.record(id)).job.status).toBe('cancelled'));
  running.fate = () => 'pass';
  used.start(FILE);
  await page.shows('uploaded 100 awaiting-upload -');
  expect(used.job?.id).not.toBe(id);
});

it('stops when its component goes away', async () => {
  await show();
  const held = holdStorage();
  used.start(FILE);
  await held;
  const id = used.job?.id ?? '';
  page.unmount();
  await vi.waitFor(async () => expect((await running.record(id)).job.status).toBe('cancelled'));
});

it('tells what was refused', async () => {
  page.render(application({ kind: 'word-count' }));
  await page.shows('idle - - -');
  used.start(FILE);
  await page.shows('failed - - ProblemError');
});

it('renders on a server', () => {
  expect(renderToString(application())).toContain('idle');
});
