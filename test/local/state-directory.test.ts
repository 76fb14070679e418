import { access, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { StartError } from '../../local/errors.ts';
import { StateDirectory } from '../../local/state-directory.ts';

let parent: string;
let directory: string;
beforeEach(async () => {
  parent = await mkdtemp(path.join(tmpdir(), 'jobwire-state-'));
  directory = path.join(parent, 'state');
});
afterEach(async () => {
  await rm(parent, { recursive: true });
});

const file = () => path.join(directory, 'endpoints.json');
/** A process that lives longer than this test, and is not ours. */
const other = process.ppid;

async function listening(): Promise<{ server: Server; dashboard: string }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('it listens on no port');
  return { server, dashboard: `http://127.0.0.1:${address.port}` };
}

describe('the state folder', () => {
  it('keeps its secret, and begins anew on demand', async () => {
    const first = await StateDirectory.open(directory, false);
    await writeFile(first.folder('kept'), '');
    await first.release();
    const second = await StateDirectory.open(directory, false);
    expect(second.rootSecret).toBe(first.rootSecret);
    await access(second.folder('kept'));
    const third = await StateDirectory.open(directory, true);
    expect(third.rootSecret).not.toBe(first.rootSecret);
    await expect(access(third.folder('kept'))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('says where everything is while that is so', async () => {
    const state = await StateDirectory.open(directory, false);
    const endpoints = { dashboard: 'http://a', api: 'http://b', socket: 'ws://c', pid: process.pid };
    await state.announce(endpoints);
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual(endpoints);
    await state.withdraw();
    expect(JSON.parse(await readFile(file(), 'utf8'))).toEqual({ pid: process.pid });
    await state.release();
    expect(await readdir(directory)).toEqual(['root-secret']);
  });

  it('is refused while another process starts in it, runs in it, or stops', async () => {
    await mkdir(directory);
    await writeFile(file(), JSON.stringify({ pid: other }));
    await expect(StateDirectory.open(directory, true)).rejects.toThrow(
      `Jobwire runs already on ${directory} (process ${other}). Stop it`,
    );
    const { server, dashboard } = await listening();
    await writeFile(file(), JSON.stringify({ dashboard, api: '', socket: '', pid: other }));
    await expect(StateDirectory.open(directory, false)).rejects.toThrow(`Its page is ${dashboard}.`);
    server.close();
  });

  it.each([
    ['is cut short', () => '{"pid":'],
    ['names a process that is gone', () => JSON.stringify({ pid: 2 ** 30 })],
    [
      'names a process that got the number of the one that crashed',
      (dashboard: string) => JSON.stringify({ dashboard, api: '', socket: '', pid: other }),
    ],
  ])('is free when its endpoints.json %s', async (_what, content) => {
    const { server, dashboard } = await listening();
    await new Promise((resolve) => server.close(resolve));
    await mkdir(directory);
    await writeFile(file(), content(dashboard));
    const state = await StateDirectory.open(directory, false);
    await state.release();
  });

  it('is not deleted when it is somebody else’s', async () => {
    await mkdir(directory);
    await writeFile(path.join(directory, 'cat.jpg'), 'cat');
    await expect(StateDirectory.open(directory, true)).rejects.toThrow(/^--fresh would delete/);
    expect(await readFile(path.join(directory, 'cat.jpg'), 'utf8')).toBe('cat');
  });

  it('that cannot be made is told in a sentence', async () => {
    await writeFile(directory, 'a file');
    const opening = StateDirectory.open(path.join(directory, 'below'), false);
    await expect(opening).rejects.toThrow(StartError);
    await expect(opening).rejects.toThrow(/cannot be used \(ENOTDIR.*--state <folder>$/);
  });
});
