import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { Fetch } from '../../client/platform.ts';
import type { UploadJobOptions } from '../../client/upload-job.ts';
import type { UploadStore } from '../../client/upload-memory.ts';
import { startUploadSetting, type UploadSetting } from './upload-setting.ts';

const MIB = 1024 ** 2;
/** One part, and two. */
const short = new File(['a,b'], 'rows.csv', { type: 'text/csv', lastModified: 1 });
const long = new File([new Uint8Array(8 * MIB + 1)], 'rows.csv', { type: 'text/csv', lastModified: 1 });
const inParts = { kind: 'csv-profile', upload: 'multipart' } as const;

/** What an upload has left behind whose page has gone in the middle. */
let store: Map<string, string>;
let running: UploadSetting;
beforeEach(async () => {
  store = new Map();
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

/** The store as a page sees it that has just been opened: nothing of an earlier page runs on there. */
function opened(): UploadStore {
  return {
    get: (key) => store.get(key),
    set: (key, value) => store.set(key, value),
    delete: (key) => store.delete(key),
  };
}

/** Begins to send on a page that goes away then; answers with the job. */
async function abandon(file: Blob, options: UploadJobOptions, from = running.client()): Promise<string> {
  const reached = hold('PUT 1');
  const { id } = from.uploadJob(file, { ...options, resume: opened() });
  await reached;
  return await id;
}

/** The job that the same or another call gets on another page. */
async function jobOf(file: Blob, options: UploadJobOptions, from = running.client()): Promise<string> {
  return await from.uploadJob(file, { ...options, resume: opened() }).id;
}

it('sends only the parts that are missing after a reload', async () => {
  const second = hold('PUT 2');
  const lost = running.client().uploadJob(long, { ...inParts, parallel: 1, resume: opened() });
  await second;
  expect(store.size).toBe(1);
  expect(running.sent.filter((request) => /^PUT/.test(request))).toEqual(['PUT 1', 'PUT 2']);
  running.sent.length = 0;
  running.fate = () => 'pass';
  const progress: number[] = [];
  const onProgress = ({ sent }: { readonly sent: number }) => progress.push(sent);
  const found = running.client().uploadJob(long, { ...inParts, resume: opened(), onProgress });
  await found.done;
  expect(await found.id).toBe(await lost.id);
  expect(running.sent.filter((request) => /^PUT/.test(request))).toEqual(['PUT 2']);
  expect(progress[0]).toBe(8 * MIB);
  expect((await running.uploads.inspect(await running.record(await found.id)))?.size).toBe(long.size);
  expect(store.size).toBe(0);
});

it('makes a new job where the old one has ended, or the store holds nonsense', async () => {
  const client = running.client();
  const facts = { fileName: 'rows.csv', contentType: 'text/csv', size: short.size };
  const cancelled = await client.createJob({ ...inParts, ...facts });
  await client.cancel(cancelled.job.id, { token: cancelled.token });
  const ended = JSON.stringify({ id: cancelled.job.id, token: cancelled.token });
  for (const text of ['{', '[]', '{"id":5,"token":"x"}', ended]) {
    const given = {
      get: () => text,
      set: () => {
        throw new Error('the store is full');
      },
      delete: () => Promise.reject(new Error('the store is blocked')),
    };
    const upload = client.uploadJob(short, { ...inParts, resume: given });
    await upload.done;
    expect(await upload.id).not.toBe(cancelled.job.id);
  }
});

it('knows the same call with the same file', async () => {
  const options = { ...inParts, tags: ['one', 'two'] };
  const id = await abandon(short, options);
  const again = new File(['a,b'], 'rows.csv', { type: 'text/csv', lastModified: 1 });
  expect(await jobOf(again, options)).toBe(id);
});

it('takes another file for another upload', async () => {
  const id = await abandon(short, inParts);
  const other = new File(['b,a'], 'rows.csv', { type: 'text/csv', lastModified: 1 });
  expect(await jobOf(other, inParts)).not.toBe(id);
});

it('begins anew with a Blob, which could be any, unless the caller gives a key', async () => {
  const blob = () => new Blob(['a,b']);
  const id = await abandon(blob(), inParts);
  expect(store.size).toBe(0);
  expect(await jobOf(blob(), inParts)).not.toBe(id);
  const known = await abandon(blob(), { ...inParts, idempotencyKey: 'a key' });
  expect(store.size).toBe(1);
  expect(await jobOf(blob(), { ...inParts, idempotencyKey: 'a key' })).toBe(known);
});

it('goes on with no upload of another subject', async () => {
  const alice = { subject: 'alice' };
  const id = await abandon(short, inParts, running.client(alice));
  expect(await jobOf(short, inParts, running.client({ subject: 'bob' }))).not.toBe(id);
  expect(await jobOf(short, inParts, running.client(alice))).toBe(id);
});

it('goes on with no upload of another caller either, where the client was told no subject', async () => {
  await running.close();
  running = await startUploadSetting('authorizer');
  const as = (subject: string) => {
    const fetchAs: Fetch = (url, init) => {
      const headers = new Headers(init?.headers);
      if (!headers.has('authorization')) headers.set('x-subject', subject);
      return fetch(url, { ...init, headers });
    };
    return running.client({ fetch: fetchAs });
  };
  const id = await abandon(short, inParts, as('alice'));
  expect(await jobOf(short, inParts, as('alice'))).toBe(id);
  const bobs = await jobOf(short, inParts, as('bob'));
  expect(bobs).not.toBe(id);
  expect((await running.record(bobs)).owner).toBe('bob');
});

it('makes two jobs of two calls at once, of which one may be stopped', async () => {
  const first = hold('PUT 1');
  const stop = new AbortController();
  const options = { ...inParts, resume: store };
  const one = running.client().uploadJob(short, { ...options, signal: stop.signal });
  await first;
  running.fate = () => 'pass';
  const other = running.client().uploadJob(short, options);
  expect(await other.id).not.toBe(await one.id);
  stop.abort(new Error('enough'));
  await expect(one.done).rejects.toThrow('enough');
  await other.done;
  expect((await running.record(await one.id)).job.status).toBe('cancelled');
  expect(store.size).toBe(0);
});

it('leaves an upload alone that another tab is sending', async () => {
  const id = await abandon(short, inParts);
  const [[key = '', entry] = []] = [...store];
  vi.stubGlobal('document', {}); // what tells a tab of a browser from Node, whose locks are the same
  await navigator.locks.request(key, async () => {
    expect(await jobOf(short, inParts)).not.toBe(id);
    expect([...store]).toEqual([[key, entry]]);
  });
  expect(await jobOf(short, inParts)).toBe(id);
  // And holds what it sends itself.
  expect(await navigator.locks.request(key, { ifAvailable: true }, (lock) => lock)).toBeNull();
});
