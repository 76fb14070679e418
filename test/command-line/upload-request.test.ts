import { once } from 'node:events';
import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { UploadRequest } from '../../command-line/upload-request.ts';

let server: Server | undefined;
afterEach(() => {
  server?.closeAllConnections();
  server?.close();
});

/** Starts a storage; returns a request to it, and how that ends. */
async function begin(
  storage: (request: IncomingMessage) => Promise<{ status: number; text: string } | undefined>,
) {
  server = createServer(async (request, response) => {
    const answer = await storage(request);
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(answer.status, { etag: '"1"' }).end(answer.text);
  });
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
  const request = new UploadRequest();
  request.open('PUT', `http://127.0.0.1:${port}/file`);
  const loaded: number[] = [];
  request.upload.addEventListener('progress', (event) => loaded.push(event.loaded));
  const ended = new Promise<string>((resolve) => {
    for (const type of ['load', 'error', 'abort', 'timeout'] as const) {
      request.addEventListener(type, () => resolve(type));
    }
  });
  return { request, loaded, ended };
}

const MEGABYTE = 1_000_000;

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-upload-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

/** A file on disk, as the command sends it. */
async function fileOf(bytes: number): Promise<Blob> {
  const file = path.join(folder, String(bytes));
  await writeFile(file, new Uint8Array(bytes));
  return await openAsBlob(file);
}

it('sends a file with its length, and tells how far it is', async () => {
  let received = 0;
  let announced: string | undefined;
  const { request, loaded, ended } = await begin(async (incoming) => {
    announced = incoming.headers['content-length'];
    for await (const chunk of incoming) received += chunk.length;
    return { status: 200, text: 'thanks' };
  });
  request.send(await fileOf(3 * MEGABYTE));
  expect(await ended).toBe('load');
  expect({ received, announced }).toEqual({ received: 3 * MEGABYTE, announced: String(3 * MEGABYTE) });
  expect(request).toMatchObject({ status: 200, responseText: 'thanks' });
  expect(request.getResponseHeader('ETag')).toBe('"1"');
  expect(request.getResponseHeader('x-other')).toBeNull();
  expect(loaded.at(-1)).toBe(3 * MEGABYTE);
  expect(loaded.length).toBeGreaterThan(10);
  expect(loaded).toEqual([...loaded].sort((one, other) => one - other));
});

it('hears a refusal that comes before the file is through', async () => {
  const { request, loaded, ended } = await begin(async () => ({
    status: 403,
    text: '<Code>AccessDenied</Code>',
  }));
  request.send(await fileOf(30 * MEGABYTE));
  expect(await ended).toBe('load');
  expect(request).toMatchObject({ status: 403, responseText: '<Code>AccessDenied</Code>' });
  expect(loaded.at(-1) ?? 0).toBeLessThan(30 * MEGABYTE);
});

it('tells of a connection that breaks, once', async () => {
  const { request, ended } = await begin(async (incoming) => {
    await once(incoming, 'data');
    return undefined;
  });
  request.send(await fileOf(30 * MEGABYTE));
  expect(await ended).toBe('error');
});

it('stops when it is told to', async () => {
  const reached = Promise.withResolvers<void>();
  const { request, ended } = await begin(async (incoming) => {
    reached.resolve();
    await new Promise((resolve) => incoming.on('close', resolve));
    return undefined;
  });
  request.send(await fileOf(30 * MEGABYTE));
  await reached.promise;
  request.abort();
  expect(await ended).toBe('abort');
});
