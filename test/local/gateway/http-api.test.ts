import { request as httpRequest } from 'node:http';
import { afterEach, describe, expect, it } from 'vitest';
import { GatewaySettingsError } from '../../../local/gateway/gateway-error.ts';
import { type HttpApi, startHttpApi } from '../../../local/gateway/http-api.ts';
import type { HttpApiEvent } from '../../../local/gateway/http-event.ts';
import type { HttpApiSettings } from '../../../local/gateway/http-settings.ts';
import { ManualClock } from '../manual-clock.ts';
import { gate, RecordingFunction, type Respond } from './recording-function.ts';

const running: HttpApi[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.close()));
});

async function startApi(settings: Partial<HttpApiSettings>) {
  const clock = new ManualClock();
  const log: string[] = [];
  const api = await startHttpApi({
    apiId: 'h1',
    stageName: '$default',
    routes: [],
    port: 0,
    clock,
    log: (line) => log.push(line),
    ...settings,
  });
  running.push(api);
  return { api, clock, log };
}

async function startRoute(routeKey: string, respond?: Respond, settings: Partial<HttpApiSettings> = {}) {
  const route = new RecordingFunction<HttpApiEvent>('route', respond);
  return { route, ...(await startApi({ routes: [{ routeKey, function: route }], ...settings })) };
}

/** A request whose path and headers go out exactly as given, which `fetch` does not promise. */
function raw(
  api: HttpApi,
  path: string,
  headers: Record<string, string | string[]>,
): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: api.port, path, headers, agent: false },
      (response) => {
        response.resume();
        resolve(response.statusCode);
      },
    );
    request.on('error', reject).end();
  });
}

describe('the event of payload format 2.0', () => {
  it('has every documented member', async () => {
    const { api, route, clock } = await startRoute('POST /jobs/{id}');
    await fetch(`${api.url}/jobs/7%2B1?tag=a&tag=b&q=x%20y`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', 'User-Agent': 'test/1', Cookie: 'one=1; two=2' },
      body: '{"a":1}',
    });
    const { headers, ...event } = await route.event();
    expect(event).toEqual({
      version: '2.0',
      routeKey: 'POST /jobs/{id}',
      rawPath: '/jobs/7+1',
      rawQueryString: 'tag=a&tag=b&q=x%20y',
      cookies: ['one=1', 'two=2'],
      queryStringParameters: { tag: 'a,b', q: 'x y' },
      requestContext: {
        accountId: '000000000000',
        apiId: 'h1',
        domainName: `127.0.0.1:${api.port}`,
        domainPrefix: '127',
        http: {
          method: 'POST',
          path: '/jobs/7+1',
          protocol: 'HTTP/1.1',
          sourceIp: '127.0.0.1',
          userAgent: 'test/1',
        },
        requestId: expect.stringMatching(/^[\w-]{15}=$/),
        routeKey: 'POST /jobs/{id}',
        stage: '$default',
        time: '23/Nov/2026:12:00:00 +0000',
        timeEpoch: clock.now(),
      },
      pathParameters: { id: '7+1' },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      'user-agent': 'test/1',
      host: `127.0.0.1:${api.port}`,
      'x-forwarded-for': '127.0.0.1',
      'x-forwarded-proto': 'http',
    });
    expect(headers).not.toHaveProperty('cookie');
  });

  it('leaves out body, cookies, query and path parameters that are not there', async () => {
    const { api, route } = await startRoute('GET /jobs');
    await fetch(`${api.url}/jobs`);
    const event = await route.event();
    expect(Object.keys(event)).toEqual([
      'version',
      'routeKey',
      'rawPath',
      'rawQueryString',
      'headers',
      'requestContext',
      'isBase64Encoded',
    ]);
    expect(event.rawQueryString).toBe('');
  });

  it('puts header names in lower case and joins duplicates by commas', async () => {
    const { api, route } = await startRoute('$default');
    await raw(api, '/', { 'X-Many': ['one', 'two'] });
    expect((await route.event()).headers['x-many']).toBe('one,two');
  });

  it('starts rawPath with the stage unless that is $default, and routes without it', async () => {
    const { api, route } = await startRoute('GET /jobs/{id}', undefined, { stageName: 'live' });
    expect(api.url).toBe(`http://127.0.0.1:${api.port}/live`);
    expect((await fetch(`${api.url}/jobs/1`)).status).toBe(200);
    const event = await route.event();
    expect([event.rawPath, event.requestContext.http.path]).toEqual(['/live/jobs/1', '/live/jobs/1']);
    expect((await fetch(`http://127.0.0.1:${api.port}/jobs/1`)).status).toBe(404);
  });

  it.each([
    ['application/octet-stream', true],
    ['image/png', true],
    ['application/x-www-form-urlencoded', true],
    ['text/csv', false],
    ['application/problem+json; charset=utf-8', false],
  ])('gives a body of %s in base64: %s', async (contentType, isBase64Encoded) => {
    const { api, route } = await startRoute('$default');
    await fetch(api.url, { method: 'POST', headers: { 'content-type': contentType }, body: 'ü' });
    const event = await route.event();
    expect(event.isBase64Encoded).toBe(isBase64Encoded);
    expect(event.body).toBe(isBase64Encoded ? Buffer.from('ü').toString('base64') : 'ü');
  });
});

describe('routes of an HTTP API', () => {
  const keys = [
    '$default',
    'ANY /{proxy+}',
    'GET /jobs/{id}',
    'GET /jobs/latest',
    'GET /jobs/{proxy+}',
    'ANY /jobs/{id}',
    'POST /jobs/{id}/parts/{part}',
  ];

  it.each([
    ['GET', '/jobs/latest', 'GET /jobs/latest', undefined],
    ['GET', '/jobs/7', 'GET /jobs/{id}', { id: '7' }],
    ['PUT', '/jobs/7', 'ANY /jobs/{id}', { id: '7' }],
    ['GET', '/jobs/7/result', 'GET /jobs/{proxy+}', { proxy: '7/result' }],
    ['PUT', '/jobs/7/result', 'ANY /{proxy+}', { proxy: 'jobs/7/result' }],
    ['POST', '/jobs/a/parts/b', 'POST /jobs/{id}/parts/{part}', { id: 'a', part: 'b' }],
    ['GET', '/', '$default', undefined],
  ])('%s %s takes %s', async (method, path, routeKey, pathParameters) => {
    const functions = new Map(keys.map((key) => [key, new RecordingFunction<HttpApiEvent>(key)]));
    const { api } = await startApi({
      routes: [...functions].map(([key, route]) => ({ routeKey: key, function: route })),
    });
    await fetch(api.url + path, { method });
    const invoked = [...functions.values()].flatMap(({ events }) => events);
    expect(invoked.map((event) => [event.routeKey, event.pathParameters])).toEqual([
      [routeKey, pathParameters],
    ]);
  });

  it('answers 404 {"message":"Not Found"} without a route', async () => {
    const { api, route } = await startRoute('GET /jobs');
    for (const [method, path] of [
      ['GET', '/other'],
      ['POST', '/jobs'],
      ['GET', '/jobs/'],
    ] as const) {
      const response = await fetch(api.url + path, { method });
      expect([response.status, await response.text()]).toEqual([404, '{"message":"Not Found"}']);
    }
    expect(route.events).toHaveLength(0);
  });

  it('gets a path with a broken escape as it is', async () => {
    const { api, route } = await startRoute('GET /jobs/{id}');
    await raw(api, '/jobs/%zz', {});
    expect((await route.event()).pathParameters).toEqual({ id: '%zz' });
  });

  it.each(['GET', 'jobs', 'FETCH /jobs', 'GET /{a+}/b', 'GET /a{b}'])(
    'refuses the route key "%s"',
    async (routeKey) => {
      await expect(startRoute(routeKey)).rejects.toThrow(GatewaySettingsError);
    },
  );
});

describe('responses of payload format 2.0', () => {
  it.each([
    ['text', 'Hello from Lambda!', 'Hello from Lambda!'],
    ['an object', { message: 'hi' }, '{"message":"hi"}'],
    ['a list', [1, 2], '[1,2]'],
    ['null', null, 'null'],
  ])('takes %s without statusCode as the body: 200, JSON', async (_name, result, body) => {
    const { api } = await startRoute('$default', () => result);
    const response = await fetch(api.url);
    expect([response.status, response.headers.get('content-type')]).toEqual([200, 'application/json']);
    expect(await response.text()).toBe(body);
  });

  it('passes status, headers, cookies and body on', async () => {
    const { api } = await startRoute('$default', () => ({
      statusCode: 201,
      headers: { Location: '/jobs/1', 'X-Number': 7 },
      cookies: ['a=1; Path=/', 'b=2'],
      body: 'made',
    }));
    const response = await fetch(api.url);
    expect([response.status, await response.text()]).toEqual([201, 'made']);
    expect(response.headers.get('location')).toBe('/jobs/1');
    expect(response.headers.get('x-number')).toBe('7');
    expect(response.headers.getSetCookie()).toEqual(['a=1; Path=/', 'b=2']);
    expect(response.headers.get('content-type')).toBe('text/plain;charset=UTF-8');
    expect(response.headers.get('apigw-requestid')).toMatch(/^[\w-]{15}=$/);
  });

  it('decodes a body in base64', async () => {
    const body = Buffer.from([0, 255, 1]).toString('base64');
    const { api } = await startRoute('$default', () => ({ statusCode: 200, body, isBase64Encoded: true }));
    expect([...new Uint8Array(await (await fetch(api.url)).arrayBuffer())]).toEqual([0, 255, 1]);
  });

  it.each([
    ['throws', () => Promise.reject(new Error('secret'))],
    ['returns a status that is none', () => ({ statusCode: 'ok' })],
    ['returns a body that is no text', () => ({ statusCode: 200, body: { a: 1 } })],
    ['returns headers that are none', () => ({ statusCode: 200, headers: ['a'] })],
    ['returns a header with a line break', () => ({ statusCode: 200, headers: { a: 'b\r\nc: d' } })],
    ['returns cookies that are none', () => ({ statusCode: 200, cookies: 'a=1' })],
  ])('answers 500 {"message":"Internal Server Error"} when the function %s', async (_name, respond) => {
    const { api, log } = await startRoute('$default', respond);
    const response = await fetch(api.url);
    expect([response.status, await response.text()]).toEqual([500, '{"message":"Internal Server Error"}']);
    expect(log).toHaveLength(1);
  });

  it('answers 503 {"message":"Service Unavailable"} when the integration time-out is over', async () => {
    const late = gate<unknown>();
    const { api, route, clock } = await startRoute('$default', () => late.promise);
    const answer = fetch(api.url);
    await route.event();
    clock.advance(30_000);
    const response = await answer;
    expect([response.status, await response.text()]).toEqual([503, '{"message":"Service Unavailable"}']);
    late.open({});
  });
});

describe('limits of an HTTP API (aws-facts 6)', () => {
  it('answers 413 for a body of more than 10 MB without an invocation', async () => {
    const { api, route } = await startRoute('$default');
    const response = await fetch(api.url, { method: 'POST', body: 'x'.repeat(10 * 1024 * 1024 + 1) });
    expect(response.status).toBe(413);
    expect(route.events).toHaveLength(0);
  });

  it('answers 413 for an event of more than the 6 MB that Lambda takes, base64 counted', async () => {
    const { api, route } = await startRoute('$default');
    const post = (bytes: number) =>
      fetch(api.url, {
        method: 'POST',
        headers: { 'content-type': 'image/png' },
        body: new Uint8Array(bytes),
      });
    expect((await post(4 * 1024 * 1024)).status).toBe(200);
    expect((await post(5 * 1024 * 1024)).status).toBe(413);
    expect(route.events).toHaveLength(1);
  });

  it('answers 431 for more than 10,240 bytes of headers', async () => {
    const { api } = await startRoute('$default');
    expect(await raw(api, '/', { 'x-large': 'x'.repeat(10_240) })).toBe(431);
  });

  it('answers 429 {"message":"Too Many Requests"} beyond the throttle of the stage', async () => {
    const { api, clock } = await startRoute('$default', undefined, {
      throttling: { rateLimit: 1, burstLimit: 1 },
    });
    expect((await fetch(api.url)).status).toBe(200);
    const response = await fetch(api.url);
    expect([response.status, await response.text()]).toEqual([429, '{"message":"Too Many Requests"}']);
    clock.advance(1000);
    expect((await fetch(api.url)).status).toBe(200);
  });

  it('finishes the requests that run before it closes', async () => {
    const late = gate<unknown>();
    const { api, route, clock } = await startRoute('$default', () => late.promise);
    const answer = fetch(api.url);
    await route.event();
    const closing = api.close();
    late.open({ statusCode: 200, body: 'done' });
    expect(await (await answer).text()).toBe('done');
    await closing;
    expect(clock.pending).toBe(0);
  });
});

describe('CORS of an HTTP API', () => {
  const cors = {
    allowOrigins: ['http://127.0.0.1:3000', 'https://*.example.com'],
    allowMethods: ['GET', 'POST'],
    allowHeaders: ['authorization', 'content-type'],
    exposeHeaders: ['etag'],
    maxAge: 600,
  };

  function preflight(api: HttpApi, origin: string): Promise<Response> {
    const headers = { origin, 'access-control-request-method': 'POST' };
    return fetch(api.url, { method: 'OPTIONS', headers });
  }

  it('answers a preflight with 204 by itself, even where there is a $default route', async () => {
    const { api, route } = await startRoute('$default', undefined, { cors });
    const response = await preflight(api, 'http://127.0.0.1:3000');
    expect(response.status).toBe(204);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'access-control-allow-origin': 'http://127.0.0.1:3000',
      'access-control-allow-methods': 'GET,POST',
      'access-control-allow-headers': 'authorization,content-type',
      'access-control-max-age': '600',
    });
    expect(route.events).toHaveLength(0);
  });

  it('says nothing of CORS to an origin that is not allowed', async () => {
    const { api } = await startRoute('$default', undefined, { cors });
    const response = await preflight(api, 'http://evil.test');
    expect(response.status).toBe(204);
    expect([...response.headers.keys()].filter((name) => name.startsWith('access-control'))).toEqual([]);
  });

  it('adds its headers to answers, its own errors too, and drops those of the function', async () => {
    const respond = () => ({ statusCode: 200, headers: { 'Access-Control-Allow-Origin': 'mine' } });
    const { api } = await startRoute('GET /', respond, { cors });
    const headers = { origin: 'https://a.example.com' };
    for (const path of ['/', '/none']) {
      const response = await fetch(api.url + path, { headers });
      expect(response.headers.get('access-control-allow-origin')).toBe('https://a.example.com');
      expect(response.headers.get('access-control-expose-headers')).toBe('etag');
    }
    expect((await fetch(api.url)).headers.has('access-control-allow-origin')).toBe(false);
  });

  it('answers "*" where every origin is allowed', async () => {
    const { api } = await startRoute('$default', undefined, { cors: { allowOrigins: ['*'] } });
    expect((await preflight(api, 'http://any.test')).headers.get('access-control-allow-origin')).toBe('*');
  });

  it('passes a preflight to the routes when the API has no CORS', async () => {
    const { api, route } = await startRoute('$default');
    await preflight(api, 'http://any.test');
    expect((await route.event()).requestContext.http.method).toBe('OPTIONS');
  });
});

describe('bodies that a client breaks off', () => {
  it('invoke nothing, and the API goes on serving', async () => {
    const { api, route } = await startRoute('$default');
    const request = httpRequest(api.url, { method: 'POST', headers: { 'content-length': '10' } });
    request.on('error', () => undefined);
    const left = new Promise((resolve) => request.on('close', resolve));
    request.write('half', () => request.destroy());
    await left;
    expect((await fetch(api.url)).status).toBe(200);
    expect(route.events).toHaveLength(1);
  });
});
