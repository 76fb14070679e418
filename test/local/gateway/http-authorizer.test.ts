import { afterEach, describe, expect, it } from 'vitest';
import { GatewaySettingsError } from '../../../local/gateway/gateway-error.ts';
import { type HttpApi, startHttpApi } from '../../../local/gateway/http-api.ts';
import type { HttpApiEvent, HttpAuthorizerEvent } from '../../../local/gateway/http-event.ts';
import type { HttpAuthorizer } from '../../../local/gateway/http-settings.ts';
import { ManualClock } from '../manual-clock.ts';
import { RecordingFunction, type Respond } from './recording-function.ts';

const running: HttpApi[] = [];

afterEach(async () => {
  await Promise.all(running.splice(0).map((api) => api.close()));
});

async function startAuthorized(respond: Respond, options: Partial<HttpAuthorizer> = {}) {
  const clock = new ManualClock();
  const asked = new RecordingFunction<HttpAuthorizerEvent>('authorizer', respond);
  const route = new RecordingFunction<HttpApiEvent>('route');
  const authorizer: HttpAuthorizer = {
    function: asked,
    identitySource: ['$request.header.Authorization'],
    enableSimpleResponses: true,
    ...options,
  };
  const api = await startHttpApi({
    apiId: 'h1',
    stageName: 'live',
    routes: [{ routeKey: 'GET /jobs/{id}', function: route, authorizer }],
    port: 0,
    clock,
    log: () => undefined,
  });
  running.push(api);
  const call = (id = '1', headers: Record<string, string> = { authorization: 'Bearer x' }) =>
    fetch(`${api.url}/jobs/${id}`, { headers });
  return { asked, route, clock, call };
}

function policyFor(id: string): unknown {
  const Resource = `arn:aws:execute-api:us-east-1:000000000000:h1/live/GET/jobs/${id}`;
  return {
    principalId: 'user',
    policyDocument: { Statement: [{ Effect: 'Allow', Action: 'execute-api:Invoke', Resource }] },
  };
}

describe('a Lambda authorizer of an HTTP API, payload format 2.0', () => {
  it('sees the request, its identity and the ARN of the request', async () => {
    const { asked, call } = await startAuthorized(() => ({ isAuthorized: true }));
    await call('7');
    expect(await asked.event()).toMatchObject({
      version: '2.0',
      type: 'REQUEST',
      routeArn: 'arn:aws:execute-api:us-east-1:000000000000:h1/live/GET/jobs/7',
      identitySource: ['Bearer x'],
      routeKey: 'GET /jobs/{id}',
      rawPath: '/live/jobs/7',
      pathParameters: { id: '7' },
      requestContext: { http: { method: 'GET' } },
    });
  });

  it('hands its context to the route in requestContext.authorizer.lambda', async () => {
    const context = { owner: 'ann', level: 2 };
    const { route, call } = await startAuthorized(() => ({ isAuthorized: true, context }));
    expect((await call()).status).toBe(200);
    expect((await route.event()).requestContext.authorizer).toEqual({ lambda: context });
  });

  it('answers 401 without an invocation when the identity is missing', async () => {
    const { asked, route, call } = await startAuthorized(() => ({ isAuthorized: true }));
    const response = await call('1', {});
    expect([response.status, await response.text()]).toEqual([401, '{"message":"Unauthorized"}']);
    expect([asked.events.length, route.events.length]).toEqual([0, 0]);
  });

  it.each([
    ['isAuthorized false', () => ({ isAuthorized: false }), 403],
    ['a thrown "Unauthorized"', () => Promise.reject(new Error('Unauthorized')), 401],
    ['any other error', () => Promise.reject(new Error('broken')), 500],
    ['a result without isAuthorized', () => ({}), 500],
    ['a context that is not flat', () => ({ isAuthorized: true, context: { a: {} } }), 500],
  ])('answers %s with %s -> %i', async (_name, respond, status) => {
    const { route, call } = await startAuthorized(respond);
    expect((await call()).status).toBe(status);
    expect(route.events).toHaveLength(0);
  });

  it('answers 500 after ten seconds of silence', async () => {
    const { asked, clock, call } = await startAuthorized(() => new Promise(() => undefined));
    const response = call();
    await asked.event();
    clock.advance(10_000);
    expect((await response).status).toBe(500);
  });

  it('decides by an IAM policy on the ARN of the request', async () => {
    const { route, call } = await startAuthorized(() => policyFor('1'), { enableSimpleResponses: false });
    expect((await call('1')).status).toBe(200);
    expect((await route.event()).requestContext.authorizer).toEqual({ lambda: { principalId: 'user' } });
    expect((await call('2')).status).toBe(403);
  });

  it('caches a result for the same identity: a policy for one path then refuses another', async () => {
    const { asked, clock, call } = await startAuthorized(
      (event: HttpAuthorizerEvent) => policyFor(event.rawPath.slice(-1)),
      {
        enableSimpleResponses: false,
        resultTtlSeconds: 300,
      },
    );
    expect((await call('1')).status).toBe(200);
    expect((await call('2')).status).toBe(403);
    expect(asked.events).toHaveLength(1);
    clock.advance(300_000);
    expect((await call('2')).status).toBe(200);
    expect((await call('2', { authorization: 'Bearer y' })).status).toBe(200);
    expect(asked.events).toHaveLength(3);
  });

  it('refuses an identity source of the WebSocket form', async () => {
    const identitySource = ['route.request.header.Authorization'];
    await expect(startAuthorized(() => ({}), { identitySource })).rejects.toThrow(GatewaySettingsError);
  });
});
