import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type StaticSite, startStaticSite } from '../../../local/services/static-site.ts';

let site: StaticSite;
const policy = "default-src 'self'; connect-src 'self' ws://127.0.0.1:1";

const FILES: ReadonlyMap<string, string | Uint8Array> = new Map<string, string | Uint8Array>([
  ['index.html', '<h1>Page</h1>'],
  ['error.html', '<h1>None</h1>'],
  ['assets/page.js', 'run();'],
  ['config.json', Buffer.from('{}')],
]);

beforeAll(async () => {
  site = await startStaticSite({
    port: 0,
    files: FILES,
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
  });
});
afterAll(async () => {
  await site.close();
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
    expect(site.replace(new Map([...FILES, ['assets/page.js', 'other();']]))).toBe(true);
    expect(await (await again()).text()).toBe('other();');
    expect(site.replace(new Map([...FILES, ['assets/page.js', 'other();']]))).toBe(false);
    expect(site.replace(new Map([['index.html', '<h1>Page</h1>']]))).toBe(true);
    expect((await again()).status).toBe(404);
    expect(site.replace(FILES)).toBe(true);
    expect((await again()).status).toBe(304);
  });

  it('may be bytes', async () => {
    const config = await get('/config.json');
    expect(config.headers.get('content-type')).toBe('application/json');
    expect(await config.text()).toBe('{}');
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
    ['localhost', '/assets/page.js?v=1', '/assets/page.js?v=1'],
    ['LOCALHOST:1', '/', '/'],
    ['localhost', 'http://localhost/index.html', '/'],
  ])('sends whoever says %s to the origin that CORS allows (%s)', async (host, url, path) => {
    const answer = await ask(host, url);
    expect(answer).toMatch(/^HTTP\/1\.1 308 /);
    expect(answer).toContain(`\r\nLocation: ${site.endpoint}${path}\r\n`);
  });

  it.each([() => `127.0.0.1:${site.port}`, () => 'localhost.example'])(
    'is there under every other name',
    async (host) => {
      expect(await ask(host(), '/')).toMatch(/^HTTP\/1\.1 200 /);
    },
  );
});

async function ask(host: string, url: string): Promise<string> {
  const socket = connect(site.port, '127.0.0.1');
  socket.write(`GET ${url} HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  return await text(socket);
}
