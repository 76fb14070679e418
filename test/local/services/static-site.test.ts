import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunningService } from '../../../local/services/running-service.ts';
import { startStaticSite } from '../../../local/services/static-site.ts';

let directory: string;
let site: RunningService;
const policy = "default-src 'self'; connect-src 'self' ws://127.0.0.1:1";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-page-'));
  const page = join(directory, 'page');
  await mkdir(join(page, 'assets'), { recursive: true });
  await writeFile(join(directory, 'secret.txt'), 'not for you');
  await writeFile(join(page, 'index.html'), '<h1>Page</h1>');
  await writeFile(join(page, 'error.html'), '<h1>None</h1>');
  await writeFile(join(page, 'assets', 'page.js'), 'run();');
  site = await startStaticSite({
    port: 0,
    source: page,
    defaultRootObject: 'index.html',
    notFoundPage: 'error.html',
    responseHeadersPolicy: {
      SecurityHeadersConfig: {
        ContentSecurityPolicy: { ContentSecurityPolicy: policy },
        ContentTypeOptions: {},
        FrameOptions: { FrameOption: 'DENY' },
        ReferrerPolicy: { ReferrerPolicy: 'no-referrer' },
        StrictTransportSecurity: { AccessControlMaxAgeSec: 60, IncludeSubdomains: true },
        XSSProtection: { Protection: true, ModeBlock: true },
      },
      CustomHeadersConfig: { Items: [{ Header: 'Permissions-Policy', Value: 'camera=()' }] },
    },
    log: () => undefined,
  });
});
afterAll(async () => {
  await site.close();
  await rm(directory, { recursive: true });
});

const get = (path: string, init?: RequestInit) => fetch(site.endpoint + path, init);

describe('a page', () => {
  it('is the default root object, with its type and all headers of the policy', async () => {
    const response = await get('/');
    expect(await response.text()).toBe('<h1>Page</h1>');
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': policy,
      'x-content-type-options': 'nosniff',
      'x-frame-options': 'DENY',
      'referrer-policy': 'no-referrer',
      'strict-transport-security': 'max-age=60; includeSubDomains',
      'x-xss-protection': '1; mode=block',
      'permissions-policy': 'camera=()',
    });
  });

  it('has files with types and ETags, and follows a rebuild', async () => {
    const script = await get('/assets/page.js?v=1');
    expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8');
    const etag = script.headers.get('etag') ?? '';
    expect(etag).toMatch(/^"[0-9a-f]{32}"$/);
    const again = () => get('/assets/page.js', { headers: { 'if-none-match': etag } });
    expect((await again()).status).toBe(304);
    await writeFile(join(directory, 'page', 'assets', 'page.js'), 'other();');
    expect(await (await again()).text()).toBe('other();');
  });

  it('answers HEAD without a body, and nothing but HEAD and GET', async () => {
    const head = await get('/', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-length'), await head.text()]).toEqual([200, '13', '']);
    expect((await get('/', { method: 'POST', body: 'x' })).status).toBe(405);
  });

  it('has a page for what is not there, directories included', async () => {
    for (const path of ['/none', '/assets', '/assets/', '/index.html/x', '/%', '/%00']) {
      const response = await get(path);
      expect([path, response.status, await response.text()]).toEqual([path, 404, '<h1>None</h1>']);
      expect(response.headers.get('content-security-policy')).toBe(policy);
    }
  });

  it.each([
    '/../secret.txt',
    '/assets/../../secret.txt',
    '/%2e%2e/secret.txt',
    '/..%2fsecret.txt',
    '/..%5csecret.txt',
    '//../secret.txt',
  ])('does not lead out of its directory by %s', async (path) => {
    const socket = connect(site.port, '127.0.0.1');
    socket.write(`GET ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`);
    const answer = await text(socket);
    expect(answer).toMatch(/^HTTP\/1\.1 404 /);
    expect(answer).not.toContain('not for you');
  });
});

it('may be files in memory', async () => {
  const memory = await startStaticSite({
    port: 0,
    source: new Map<string, string | Uint8Array>([
      ['index.html', 'hello'],
      ['config.json', Buffer.from('{}')],
    ]),
    defaultRootObject: 'index.html',
    log: () => undefined,
  });
  expect(await (await fetch(memory.endpoint)).text()).toBe('hello');
  const config = await fetch(`${memory.endpoint}/config.json`);
  expect(config.headers.get('content-type')).toBe('application/json');
  expect((await fetch(`${memory.endpoint}/none`)).status).toBe(404);
  await memory.close();
});
