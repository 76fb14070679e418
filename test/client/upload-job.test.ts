import { createHash } from 'node:crypto';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { crc32 } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ProblemError, UploadRefusedError } from '../../client/errors.ts';
import type { RequestLike } from '../../client/platform.ts';
import { crc32Of } from '../../client/upload-crc32.ts';
import type { UploadJobProgress } from '../../client/upload-job.ts';
import { startUploadSetting, type UploadSetting } from './upload-setting.ts';

const MIB = 1024 ** 2;
/** Four parts: three of 8 MiB, and one of a byte. */
const SIZE = 24 * MIB + 1;
const content = new Uint8Array(SIZE).map((_, index) => (index * 31 + (index >> 12)) & 255);
const file = new File([content], 'rows.csv', { type: 'text/csv', lastModified: 1 });
const inParts = { kind: 'csv-profile', upload: 'multipart' } as const;
const signal = new AbortController().signal;

let running: UploadSetting;
beforeEach(async () => {
  running = await startUploadSetting();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await running.close();
  expect(running.lines).toEqual([]);
});

async function storedBytes(id: string): Promise<string> {
  const record = await running.record(id);
  return sha256(await buffer(await running.uploads.open(record, signal)));
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function putsOf(part: number): number {
  return running.sent.filter((request) => request === `PUT ${part}`).length;
}

/** An XMLHttpRequest that sends by fetch and tells of the first half of its body before; a browser has the real one. */
class FetchingRequest extends EventTarget implements RequestLike {
  status = 0;
  responseText = '';
  #progress: (event: { readonly loaded: number }) => void = () => {};
  #url = '';
  #method = '';
  #response: Response | undefined;
  readonly #abort = new AbortController();
  readonly upload = {
    addEventListener: (_type: 'progress', listener: (event: { readonly loaded: number }) => void) => {
      this.#progress = listener;
    },
  };

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }
  setRequestHeader(): void {}
  getResponseHeader(name: string): string | null {
    return this.#response?.headers.get(name) ?? null;
  }
  send(body: Blob): void {
    this.#progress({ loaded: Math.floor(body.size / 2) - 1 });
    void this.#send(body);
  }
  abort(): void {
    this.#abort.abort();
  }
  async #send(body: Blob): Promise<void> {
    try {
      this.#response = await fetch(this.#url, { method: this.#method, body, signal: this.#abort.signal });
      this.status = this.#response.status;
      this.responseText = await this.#response.text();
      this.dispatchEvent(new Event('load'));
    } catch {
      this.dispatchEvent(new Event(this.#abort.signal.aborted ? 'abort' : 'error'));
    }
  }
}

describe('uploadJob in parts', () => {
  it('sends every part once, and the object is the file', async () => {
    const progress: UploadJobProgress[] = [];
    const upload = running
      .client()
      .uploadJob(file, { ...inParts, onProgress: (each) => progress.push(each) });
    await upload.done;
    const id = await upload.id;
    expect(await storedBytes(id)).toBe(sha256(content));
    expect([1, 2, 3, 4].map(putsOf)).toEqual([1, 1, 1, 1]);
    const record = await running.record(id);
    expect(record.job.input).toEqual({ fileName: 'rows.csv', contentType: 'text/csv', size: SIZE });
    expect((await running.uploads.inspect(record))?.tag).toMatch(/-4"$/);
    expect(progress.at(0)).toEqual({ sent: 0, total: SIZE, fraction: 0 });
    expect(progress.at(-1)).toEqual({ sent: SIZE, total: SIZE, fraction: 1 });
    for (const [index, { sent }] of progress.entries()) {
      expect(sent).toBeGreaterThanOrEqual(progress[index - 1]?.sent ?? 0);
    }
  });

  it('sends a file of the disk without holding it in memory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'jobwire-file-'));
    const path = join(directory, 'on-disk.csv');
    await writeFile(path, content);
    const blob = await openAsBlob(path, { type: 'text/csv' });
    const upload = running.client().uploadJob(blob, { ...inParts, fileName: 'on-disk.csv' });
    await upload.done;
    expect(await storedBytes(await upload.id)).toBe(sha256(content));
    expect((await upload.job).input?.fileName).toBe('on-disk.csv');
    await rm(directory, { recursive: true });
  });

  it('sends a part whose connection breaks again, alone', async () => {
    running.fate = (request) => (request === 'PUT 2' && putsOf(2) <= 2 ? 'kill' : 'pass');
    const upload = running.client().uploadJob(file, inParts);
    await upload.done;
    expect([1, 2, 3, 4].map(putsOf)).toEqual([1, 3, 1, 1]);
    expect(await storedBytes(await upload.id)).toBe(sha256(content));
  });

  it('counts bytes as they leave where there is an XMLHttpRequest, and never back', async () => {
    running.fate = (request) => (request === 'PUT 2' && putsOf(2) <= 1 ? 'kill' : 'pass');
    const sent: number[] = [];
    const upload = running.client({ XMLHttpRequest: FetchingRequest }).uploadJob(file, {
      ...inParts,
      onProgress: (progress) => sent.push(progress.sent),
    });
    await upload.done;
    expect(await storedBytes(await upload.id)).toBe(sha256(content));
    expect(putsOf(2)).toBe(2);
    expect(sent).toEqual([...sent].sort((one, other) => one - other));
    expect(sent.at(-1)).toBe(SIZE);
    expect(sent.some((bytes) => bytes % (8 * MIB) !== 0 && bytes < SIZE - 1)).toBe(true);
  });

  it('sends as many parts at a time as it is told, and no more', async () => {
    let most = 0;
    let now = 0;
    const { fetch } = globalThis;
    vi.stubGlobal('fetch', async (input: string, init?: RequestInit) => {
      const isPart = String(input).includes('partNumber=');
      now += isPart ? 1 : 0;
      most = Math.max(most, now);
      try {
        return await fetch(input, init);
      } finally {
        now -= isPart ? 1 : 0;
      }
    });
    await running.client().uploadJob(file, { ...inParts, parallel: 2 }).done;
    expect(most).toBe(2);
  });

  it('asks the API alone by the fetch that may add credentials to it', async () => {
    const asked = new Set<string>();
    const client = running.client({
      fetch: (url, init) => {
        asked.add(new URL(url).origin);
        return fetch(url, init);
      },
    });
    await client.uploadJob(file, inParts).done;
    expect([...asked]).toEqual([running.api]);
    expect(running.sent.filter((request) => /^PUT/.test(request))).toHaveLength(4);
  });

  it('takes fresh URLs when those that it has are refused', async () => {
    const grant = running.uploads.grant.bind(running.uploads);
    let grants = 0;
    running.uploads.grant = async (record, until, parts) => {
      grants += 1;
      const fresh = await grant(record, until, parts);
      if (grants > 1 || fresh.method !== 'MULTIPART') return fresh;
      const expired = fresh.parts.map((part) => ({
        ...part,
        url: part.url.replace('Expires=', 'Expires=0'),
      }));
      return { ...fresh, parts: expired };
    };
    const upload = running.client().uploadJob(file, inParts);
    await upload.done;
    expect(grants).toBeGreaterThan(1);
    expect(await storedBytes(await upload.id)).toBe(sha256(content));
  });

  it('fails typed where the storage refuses for good, and goes on with what is there when called again', async () => {
    const store = new Map<string, string>();
    const grant = running.uploads.grant.bind(running.uploads);
    running.uploads.grant = async (record, until, parts) => {
      const fresh = await grant(record, until, parts);
      if (fresh.method !== 'MULTIPART') return fresh;
      return {
        ...fresh,
        parts: fresh.parts.map((part) =>
          part.partNumber === 4 ? { ...part, url: part.url.replace('Signature=', 'Signature=0') } : part,
        ),
      };
    };
    const options = { ...inParts, resume: store, parallel: 1 };
    const broken = running.client().uploadJob(file, options);
    await expect(broken.done).rejects.toBeInstanceOf(UploadRefusedError);
    await expect(broken.done).rejects.toMatchObject({ status: 403, code: 'SignatureDoesNotMatch' });
    expect((await running.record(await broken.id)).job.status).toBe('awaiting-upload');
    running.uploads.grant = grant;
    const again = running.client().uploadJob(file, options);
    await again.done;
    expect(await again.id).toBe(await broken.id);
    expect([1, 2, 3].map(putsOf)).toEqual([1, 1, 1]);
  });
});

describe('uploadJob in one request', () => {
  const small = new File(['a,b\n1,2\n3,4'], 'small.csv', { type: 'text/csv' });

  it.each([undefined, 'put', 'post'] as const)('sends it, held to its checksum (%s)', async (way) => {
    const options = { kind: 'csv-profile', ...(way === undefined ? {} : { upload: way }) };
    const upload = running.client().uploadJob(small, options);
    await upload.done;
    const record = await running.record(await upload.id);
    expect(record).toMatchObject({ upload: way ?? 'put', crc32: await crc32Of(small, signal) });
    expect((await running.uploads.inspect(record))?.size).toBe(11);
  });

  it.each(['put', 'post'] as const)(
    'takes a fresh grant when the one that it has is refused (%s)',
    async (way) => {
      const grant = running.uploads.grant.bind(running.uploads);
      let grants = 0;
      running.uploads.grant = async (record, until, parts) => {
        grants += 1;
        const fresh = await grant(record, until, parts);
        if (grants > 1 || fresh.method === 'MULTIPART') return fresh;
        if (fresh.method === 'PUT') return { ...fresh, url: fresh.url.replace('Expires=', 'Expires=0') };
        return { ...fresh, fields: { ...fresh.fields, 'X-Amz-Signature': '0'.repeat(64) } };
      };
      const upload = running.client().uploadJob(small, { kind: 'csv-profile', upload: way });
      await upload.done;
      expect(grants).toBe(2);
      expect((await running.uploads.inspect(await running.record(await upload.id)))?.size).toBe(11);
    },
  );

  it('fails typed where a fresh grant is refused, too, and asks for no third', async () => {
    const grant = running.uploads.grant.bind(running.uploads);
    running.uploads.grant = async (record, until, parts) => {
      const fresh = await grant(record, until, parts);
      return fresh.method === 'PUT'
        ? { ...fresh, url: fresh.url.replace('Signature=', 'Signature=0') }
        : fresh;
    };
    const upload = running.client().uploadJob(small, { kind: 'csv-profile' });
    await expect(upload.done).rejects.toMatchObject({ name: 'UploadRefusedError', status: 403 });
    expect(running.sent).toEqual(['PUT', 'PUT']);
    expect(running.asked.filter((call) => call.startsWith('GET'))).toHaveLength(1);
  });

  it('says that the job has ended where there is no fresh grant for it', async () => {
    const grant = running.uploads.grant.bind(running.uploads);
    running.uploads.grant = async (record, until, parts) => {
      const fresh = await grant(record, until, parts);
      return fresh.method === 'PUT' ? { ...fresh, url: fresh.url.replace('Expires=', 'Expires=0') } : fresh;
    };
    running.fate = (request) => (request === 'PUT' && running.sent.length === 1 ? 'kill' : 'pass');
    running.onAsk = async (call) => {
      const [, id] = /^GET .jobs.(\w+).upload/.exec(call) ?? [];
      if (id !== undefined) await running.setting.request(`POST /jobs/${id}/cancel`);
    };
    const upload = running.client().uploadJob(small, { kind: 'csv-profile' });
    await expect(upload.done).rejects.toMatchObject({
      name: 'UploadEndedError',
      job: { status: 'cancelled' },
    });
  });

  it('makes one job, however often the answer to its making is lost', async () => {
    let calls = 0;
    const client = running.client({
      fetch: async (url, init) => {
        const response = await fetch(url, init);
        if (!url.endsWith('/jobs')) return response;
        calls += 1;
        if (calls < 3) throw new TypeError('the connection was reset');
        return response;
      },
    });
    const upload = client.uploadJob(small, { kind: 'csv-profile' });
    await upload.done;
    expect(calls).toBe(3);
    expect((await running.setting.jobs.list('anonymous', { limit: 10 })).records).toHaveLength(1);
  });

  it('says typed what the API refuses', async () => {
    const upload = running.client().uploadJob(small, { kind: 'no-such-kind' });
    await expect(upload.done).rejects.toBeInstanceOf(ProblemError);
    await expect(upload.id).rejects.toMatchObject({ code: 'bad-request' });
    await expect(upload.watch()).rejects.toBeInstanceOf(ProblemError);
    expect(running.asked).toEqual(['POST /jobs']);
  });

  it('has the checksum that zlib has', async () => {
    for (const size of [0, 1, 1_000, MIB + 3]) {
      const bytes = content.slice(0, size);
      const expected = Buffer.alloc(4);
      expected.writeUInt32BE(crc32(bytes));
      expect(await crc32Of(new Blob([bytes]), signal)).toBe(expected.toString('base64'));
    }
  });
});
