import { getEventListeners, once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import { type Clock, systemClock } from '../../client/clock.ts';
import { UnreachableError, UploadRefusedError } from '../../client/errors.ts';
import type { RequestLike } from '../../client/platform.ts';
import { type UploadProgress, uploadFile } from '../../client/upload.ts';
import { ManualClock } from './manual-clock.ts';

interface Received {
  readonly method: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const received: Received[] = [];
let server: Server;
let url: string;
let answer = { status: 200, body: '' };

beforeEach(async () => {
  received.length = 0;
  answer = { status: 200, body: '' };
  server = createServer(async (request, response) => {
    const chunks: Uint8Array[] = [];
    for await (const chunk of request) chunks.push(chunk);
    received.push({
      method: request.method,
      headers: request.headers,
      body: Buffer.concat(chunks).toString(),
    });
    response.statusCode = answer.status;
    response.end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
  url = `http://127.0.0.1:${port}/key`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

/** Has no XMLHttpRequest. */
const node = { clock: systemClock };

const file = new Blob(['a,b\n1,2\n'], { type: 'text/csv' });

describe('uploadFile by fetch', () => {
  it('puts the bytes with their length and the signed headers', async () => {
    const progress: UploadProgress[] = [];
    const headers = { 'Content-Type': 'text/csv', Host: 'elsewhere', 'content-length': '8' };
    await uploadFile(node, { method: 'PUT', url, headers }, file, {
      onProgress: (each) => progress.push(each),
    });
    expect(received[0]).toMatchObject({ method: 'PUT', body: 'a,b\n1,2\n' });
    expect(received[0]?.headers).toMatchObject({ 'content-type': 'text/csv', 'content-length': '8' });
    expect(progress).toEqual([
      { sent: 0, total: 8 },
      { sent: 8, total: 8 },
    ]);
  });

  it('posts a form whose last field is the file', async () => {
    answer = { status: 204, body: '' };
    await uploadFile(node, { method: 'POST', url, fields: { key: 'k', policy: 'p' } }, file, {});
    const names = [...(received[0]?.body ?? '').matchAll(/ name="(\w+)"/g)].map((match) => match[1]);
    expect(names).toEqual(['key', 'policy', 'file']);
  });

  it('names the code of the storage', async () => {
    answer = { status: 403, body: '<Error><Code>AccessDenied</Code></Error>' };
    const upload = uploadFile(node, { method: 'PUT', url, headers: {} }, file, {});
    await expect(upload).rejects.toBeInstanceOf(UploadRefusedError);
    await expect(upload).rejects.toMatchObject({ status: 403, code: 'AccessDenied' });
  });

  it('tells a broken connection from an abort', async () => {
    server.removeAllListeners('request');
    server.on('request', (request) => request.socket.destroy());
    const upload = { method: 'PUT', url, headers: {} } as const;
    await expect(uploadFile(node, upload, file, {})).rejects.toBeInstanceOf(UnreachableError);
    const signal = AbortSignal.abort(new Error('enough'));
    await expect(uploadFile(node, upload, file, { signal })).rejects.toThrow('enough');
  });

  it.each([
    { method: 'PUT', headers: {} },
    { method: 'POST', fields: { key: 'k' } },
  ] as const)('keeps to itself what the client asks the API with ($method)', async (upload) => {
    const client = createJobwireClient({
      api: 'http://127.0.0.1:9',
      fetch: (target, init) => fetch(target, { ...init, headers: { authorization: 'Bearer of the API' } }),
    });
    await client.uploadFile({ ...upload, url }, file);
    expect(received.map(({ method, headers }) => [method, headers.authorization])).toEqual([
      [upload.method, undefined],
    ]);
  });

  it('sends on when whoever hears of it throws, and reports that', async () => {
    const fault = new Error('a fault of the page');
    const uncaught: unknown[] = [];
    vi.stubGlobal('queueMicrotask', (run: () => void) => {
      try {
        run();
      } catch (error) {
        uncaught.push(error);
      }
    });
    const onProgress = () => {
      throw fault;
    };
    await uploadFile(node, { method: 'PUT', url, headers: {} }, file, { onProgress });
    vi.unstubAllGlobals();
    expect(received).toHaveLength(1);
    expect(uncaught).toEqual([fault, fault]);
  });

  it('refuses to send in parts', async () => {
    const upload = { method: 'MULTIPART', partSize: 1, parts: [] } as const;
    await expect(uploadFile(node, { ...upload, parts: [] }, file, {})).rejects.toBeInstanceOf(TypeError);
  });
});

/** An XMLHttpRequest that the test drives; the real one is tried in the browser. */
class DrivenRequest extends EventTarget implements RequestLike {
  static last: DrivenRequest;
  status = 0;
  responseText = '';
  aborted = false;
  readonly upload = {
    addEventListener: (_type: 'progress', listener: (event: { readonly loaded: number }) => void) => {
      this.progress = (loaded) => listener({ loaded });
    },
  };
  progress: (loaded: number) => void = () => {};
  readonly headers: Record<string, string> = {};

  constructor() {
    super();
    DrivenRequest.last = this;
  }

  open(): void {}
  setRequestHeader(name: string, value: string): void {
    this.headers[name] = value;
  }
  getResponseHeader(): null {
    return null;
  }
  send(): void {}
  abort(): void {
    this.aborted = true;
    this.dispatchEvent(new Event('abort'));
  }
}

describe('uploadFile by XMLHttpRequest', () => {
  const upload = {
    method: 'PUT',
    url: 'https://bucket.example/key',
    headers: { 'content-type': 'a/b' },
  } as const;
  const clock = new ManualClock();
  const platform = { XMLHttpRequest: DrivenRequest, clock };
  afterEach(() => expect(clock.pending).toBe(0));

  it('reports the bytes as they leave, never more than there are', async () => {
    const sent: number[] = [];
    const done = uploadFile(platform, upload, file, { onProgress: (progress) => sent.push(progress.sent) });
    const request = DrivenRequest.last;
    request.progress(3);
    request.progress(200);
    request.status = 200;
    request.dispatchEvent(new Event('load'));
    await done;
    expect(sent).toEqual([0, 3, 8, 8]);
    expect(request.headers).toEqual({ 'content-type': 'a/b' });
  });

  it('stops at an abort with its reason', async () => {
    const abort = new AbortController();
    const done = uploadFile(platform, upload, file, { signal: abort.signal });
    abort.abort(new Error('enough'));
    await expect(done).rejects.toThrow('enough');
    expect(DrivenRequest.last.aborted).toBe(true);
  });

  it('fails typed when the connection breaks', async () => {
    const done = uploadFile(platform, upload, file, {});
    DrivenRequest.last.dispatchEvent(new Event('error'));
    await expect(done).rejects.toBeInstanceOf(UnreachableError);
  });

  it.each(['open', 'setRequestHeader', 'send'] as const)(
    'leaves nothing behind where %s throws',
    async (name) => {
      class RefusingRequest extends DrivenRequest {}
      RefusingRequest.prototype[name] = () => {
        throw new SyntaxError('no such URL');
      };
      const { signal } = new AbortController();
      const done = uploadFile({ XMLHttpRequest: RefusingRequest, clock }, upload, file, { signal });
      await expect(done).rejects.toThrow('no such URL');
      expect(getEventListeners(signal, 'abort')).toEqual([]);
    },
  );

  it('breaks off a request of which nothing has moved for two minutes, and only then', async () => {
    const done = uploadFile(platform, upload, file, {});
    let settled = false;
    const end = done.then(
      () => undefined,
      (error: unknown) => {
        settled = true;
        return error;
      },
    );
    const request = DrivenRequest.last;
    for (let sent = 1; sent <= 5; sent += 1) {
      clock.advance(119_000);
      request.progress(sent);
    }
    clock.advance(119_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect({ settled, aborted: request.aborted }).toEqual({ settled: false, aborted: false });
    clock.advance(31_000);
    expect(await end).toBeInstanceOf(UnreachableError);
    expect(request.aborted).toBe(true);
  });

  it('takes the hours that a laptop slept for one turn of its timer', async () => {
    let turn = () => {};
    const sleeping: Clock = {
      now: () => Date.UTC(2026, 10, 23),
      schedule: (_delayMs, callback) => {
        turn = callback;
        return { cancel: () => {} };
      },
    };
    const done = uploadFile({ ...platform, clock: sleeping }, upload, file, {});
    const request = DrivenRequest.last;
    for (let turns = 1; turns <= 4; turns += 1) turn(); // each as late as it likes
    expect(request.aborted).toBe(false);
    request.status = 200;
    request.dispatchEvent(new Event('load'));
    await done;
  });
});
