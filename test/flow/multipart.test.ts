import { openAsBlob } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createJobwireClient, type JobwireClient } from '../../client/client.ts';
import { type UploadState, UploadStateSchema } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import type { Job } from '../../protocol/job.ts';
import { partCountOf } from '../../protocol/upload.ts';
import { problemOf } from './http-calls.ts';
import { writeLargeCsv } from './large-csv.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';

let jobwire: RunningJobwire;
let directory: string;
let file: Blob;
let rows: number;
beforeAll(async () => {
  directory = await mkdtemp(path.join(tmpdir(), 'jobwire-large-'));
  const name = path.join(directory, 'large.csv');
  [jobwire, { rows }] = await Promise.all([startJobwire(), writeLargeCsv(name, 104_000_000)]);
  file = await openAsBlob(name, { type: 'text/csv' });
});
afterAll(async () => {
  await jobwire.close();
  await rm(directory, { recursive: true });
});

afterEach(() => {
  vi.unstubAllGlobals();
});

/** A client whose parts from number `from` on wait at a gate, and what opens it. */
function gatedClient(from: number): { readonly client: JobwireClient; readonly open: () => void } {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { fetch } = globalThis;
  // The storage is reached by the global fetch, whatever the client asks the API by.
  vi.stubGlobal('fetch', async (url: string, init?: RequestInit) => {
    const part = Number(/[?&]partNumber=(\d+)/.exec(url)?.[1] ?? 0);
    if (part >= from) await Promise.race([opened, whenAborted(init?.signal ?? undefined)]);
    return await fetch(url, init);
  });
  return { client: createJobwireClient({ api: jobwire.api }), open };
}

function whenAborted(signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }));
}

async function uploadState(id: string): Promise<UploadState> {
  return parse(
    'the state',
    UploadStateSchema,
    await (await fetch(`${jobwire.api}/jobs/${id}/upload`)).json(),
  );
}

describe('a file of more than 100 MB', () => {
  it('goes up in parts and is processed, on one timeline that never goes back', async () => {
    expect(file.size).toBeGreaterThan(100_000_000);
    const count = partCountOf(file.size);
    const { client, open } = gatedClient(count);
    const upload = client.uploadJob(file, { kind: 'csv-profile', fileName: 'large.csv' });
    const id = await upload.id;
    const states: Job[] = [];
    const watch = await upload.watch();
    const told = new Promise<void>((resolve) => {
      watch.on((event) => {
        if (event.type !== 'job') return;
        states.push(event.job);
        if (event.job.progress?.unit === 'bytes') resolve();
      });
    });
    await told; // the last part waits until a watcher has seen the upload's progress
    const { uploaded, complete, upload: rest } = await uploadState(id);
    expect(complete).toBe(false);
    expect(uploaded.length).toBeGreaterThan(0);
    expect(uploaded.length + (rest?.method === 'MULTIPART' ? rest.parts.length : 0)).toBe(count);
    open();
    await upload.done;

    const finished = await watch.finished();
    expect(finished.status).toBe('succeeded');
    const fractions = states.map((job) => job.progress?.fraction ?? 0);
    expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
    expect(finished.progress?.fraction).toBe(1);
    const uploading = states.filter((job) => job.status === 'awaiting-upload' && job.progress !== undefined);
    expect(uploading.length).toBeGreaterThan(0);
    for (const job of uploading) {
      expect(job.step?.name).toBe('upload');
      expect(job.progress).toMatchObject({ total: file.size, unit: 'bytes' });
      expect(job.progress?.fraction).toBeLessThanOrEqual(0.5);
    }
    for (const job of states.filter(({ status }) => status === 'queued')) {
      expect(job.progress).toEqual({ fraction: 0.5 });
      expect(job.step).toBeUndefined();
    }
    for (const job of states.filter(({ status }) => status === 'running')) {
      expect(job.progress?.fraction).toBeGreaterThanOrEqual(0.5);
    }
    const result = await fetch(client.resultUrl(id));
    expect(await result.json()).toMatchObject({ rows });
    expect(await uploadState(id)).toMatchObject({ complete: true, uploaded: [] });
    client.close();
  });

  it('is given up with its job: nothing of it is left', async () => {
    const { client } = gatedClient(4);
    const abort = new AbortController();
    const upload = client.uploadJob(file, {
      kind: 'csv-profile',
      fileName: 'large.csv',
      signal: abort.signal,
      onProgress: ({ sent }) => {
        if (sent > 0) abort.abort(new Error('enough'));
      },
    });
    await expect(upload.done).rejects.toThrow('enough');
    const id = await upload.id;
    expect((await client.read(id)).status).toBe('cancelled');
    const problem = await problemOf(await fetch(`${jobwire.api}/jobs/${id}/upload`));
    expect(problem).toMatchObject({ code: 'conflict', job: { status: 'cancelled' } });
    const failures = jobwire.lines.filter((line) => /denied|not authorized|S3:/i.test(line));
    expect(failures).toEqual([]);
    client.close();
  });
});
