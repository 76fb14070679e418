import { openAsBlob } from 'node:fs';
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { RequestLike } from '../../client/platform.ts';
import { UnreadableFileError } from '../../client/upload-errors.ts';
import { startUploadSetting, type UploadSetting } from './upload-setting.ts';

const MIB = 1024 ** 2;

let running: UploadSetting;
let directory: string;
let path: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-file-'));
  path = join(directory, 'rows.csv');
  running = await startUploadSetting();
});
afterEach(async () => {
  await running.close();
  await rm(directory, { recursive: true });
  expect(running.lines).toEqual([]);
});

async function fileOf(bytes: number): Promise<Blob> {
  await writeFile(path, new Uint8Array(bytes));
  return await openAsBlob(path);
}

it('asks for no job where the file has changed since it was chosen', async () => {
  const file = await fileOf(10);
  await appendFile(path, 'x');
  const upload = running.client().uploadJob(file, { kind: 'csv-profile' });
  await expect(upload.done).rejects.toBeInstanceOf(UnreadableFileError);
  await expect(upload.job).rejects.toMatchObject({ cause: { name: 'NotReadableError' } });
  expect(running.asked).toEqual([]);
});

it('says so of a file that changes before its sample is taken, too', async () => {
  const file = await fileOf(10);
  await rm(path);
  const named = { kind: 'csv-profile', upload: 'multipart', idempotencyKey: 'a key' } as const;
  const upload = running.client().uploadJob(file, { ...named, resume: new Map() });
  await expect(upload.done).rejects.toBeInstanceOf(UnreadableFileError);
});

it.each([
  ['multipart', 'PUT 2'],
  ['put', 'PUT'],
  ['post', 'POST'],
] as const)('does not try again to send what has changed meanwhile (%s)', async (way, request) => {
  const file = await fileOf(8 * MIB + 1);
  running.fate = (name) => (name === request ? 'hang' : 'pass');
  running.onAsk = async (call) => {
    if (call === 'POST /jobs') await appendFile(path, 'x'); // as soon as the checksum is known
  };
  const upload = running.client().uploadJob(file, { kind: 'csv-profile', upload: way, parallel: 1 });
  await expect(upload.done).rejects.toBeInstanceOf(UnreadableFileError);
  expect((await running.record(await upload.id)).job.status).toBe('awaiting-upload');
});

it('tells a file that changes while it is sent from a connection that breaks', async () => {
  const file = await fileOf(10);
  let requests = 0;
  /** What browsers tell of either: an error, and nothing else. */
  class BrokenRequest extends EventTarget implements RequestLike {
    readonly status = 0;
    readonly responseText = '';
    readonly upload = { addEventListener: () => {} }; // tells of no progress
    open(): void {}
    setRequestHeader(): void {}
    abort(): void {}
    getResponseHeader(): null {
      return null;
    }
    async send(): Promise<void> {
      requests += 1;
      if (requests === 2) await appendFile(path, 'x');
      this.dispatchEvent(new Event('error'));
    }
  }
  const client = running.client({ XMLHttpRequest: BrokenRequest });
  const upload = client.uploadJob(file, { kind: 'csv-profile' });
  await expect(upload.done).rejects.toBeInstanceOf(UnreadableFileError);
  expect(requests).toBe(2);
});
