import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { UploadEndedError } from '../../client/upload-errors.ts';
import { ManualClock } from './manual-clock.ts';
import { startUploadSetting, type UploadSetting } from './upload-setting.ts';

const MIB = 1024 ** 2;
/** One part, and two. */
const short = new File(['a,b'], 'rows.csv', { type: 'text/csv', lastModified: 1 });
const long = new File([new Uint8Array(8 * MIB + 1)], 'rows.csv', { type: 'text/csv', lastModified: 1 });
const inParts = { kind: 'csv-profile', upload: 'multipart' } as const;

let running: UploadSetting;
beforeEach(async () => {
  running = await startUploadSetting();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await running.close();
  expect(running.lines).toEqual([]);
});

/** Holds a request to S3 for ever; resolves when it has come. */
function hold(held: string): Promise<void> {
  return new Promise((resolve) => {
    running.fate = (request) => {
      if (request !== held) return 'pass';
      resolve();
      return 'hang';
    };
  });
}

it('cancels the job, and leaves no part', async () => {
  const abort = new AbortController();
  const store = new Map<string, string>();
  const second = hold('PUT 2');
  const upload = running.client().uploadJob(long, { ...inParts, signal: abort.signal, resume: store });
  await second;
  abort.abort(new Error('enough'));
  await expect(upload.done).rejects.toThrow('enough');
  const record = await running.record(await upload.id);
  expect(record.job.status).toBe('cancelled');
  await expect(running.uploads.parts(record, 1)).rejects.toMatchObject({ name: 'UploadNotFoundError' });
  expect(store.size).toBe(0);
});

it('cancels also a job that was being made at that moment', async () => {
  const abort = new AbortController();
  running.onAsk = (call) => {
    if (call === 'POST /jobs') abort.abort(new Error('enough'));
  };
  const upload = running.client().uploadJob(long, { ...inParts, signal: abort.signal });
  await expect(upload.done).rejects.toThrow('enough');
  expect((await running.record(await upload.id)).job.status).toBe('cancelled');
  expect(running.sent.filter((request) => /^PUT/.test(request))).toEqual([]);
});

it('makes no job where it was stopped before', async () => {
  const upload = running.client().uploadJob(long, { ...inParts, signal: AbortSignal.abort(new Error('no')) });
  await expect(upload.done).rejects.toThrow('no');
  await expect(upload.job).rejects.toThrow('no');
  expect(running.asked).toEqual([]);
});

it('stops by itself when the job is cancelled elsewhere', async () => {
  const store = new Map<string, string>();
  const second = hold('PUT 2');
  const upload = running.client().uploadJob(long, { ...inParts, resume: store });
  await second;
  await running.client().cancel(await upload.id);
  // The next report of its progress is answered with the end of the job.
  await expect(upload.done).rejects.toBeInstanceOf(UploadEndedError);
  await expect(upload.done).rejects.toMatchObject({ job: { status: 'cancelled' } });
  expect(store.size).toBe(0);
});

it('cancels the job of an earlier page that it was about to go on with', async () => {
  const store = new Map<string, string>();
  const first = hold('PUT 1');
  const lost = running.client().uploadJob(short, { ...inParts, resume: store });
  await first;
  const abort = new AbortController();
  running.onAsk = (call) => {
    if (call.includes('/upload?from')) abort.abort(new Error('enough'));
  };
  const resume = {
    get: (key: string) => store.get(key),
    set: () => {},
    delete: (key: string) => store.delete(key),
  };
  const upload = running.client().uploadJob(short, { ...inParts, resume, signal: abort.signal });
  await expect(upload.done).rejects.toThrow('enough');
  expect((await running.record(await lost.id)).job.status).toBe('cancelled');
  expect(store.size).toBe(0);
});

it('gives up ten seconds after it was stopped, whatever hangs', async () => {
  const clock = new ManualClock();
  const asked: string[] = [];
  const client = createJobwireClient({
    api: 'http://api.invalid',
    clock,
    fetch: (url, init) => {
      asked.push(`${init?.method} ${url}`);
      return new Promise((_resolve, reject) => {
        init?.signal?.addEventListener('abort', () => reject(init.signal?.reason));
      });
    },
  });
  const abort = new AbortController();
  const upload = client.uploadJob(short, { ...inParts, signal: abort.signal });
  await vi.waitUntil(() => asked.length === 1);
  abort.abort(new Error('enough'));
  let settled = false;
  const done = upload.done.finally(() => (settled = true));
  done.catch(() => {});
  clock.advance(9_999);
  await new Promise((resolve) => setImmediate(resolve));
  expect(settled).toBe(false); // the job may yet be made, and is to be cancelled then
  clock.advance(1);
  await expect(done).rejects.toThrow('enough');
  expect(asked).toEqual(['POST http://api.invalid/jobs']);
  expect(clock.pending).toBe(0);
});
