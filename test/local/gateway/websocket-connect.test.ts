import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import type { WebSocketAuthorizerEvent } from '../../../local/gateway/websocket-events.ts';
import { gate, RecordingFunction, type Respond } from './recording-function.ts';
import { type AnyEvent, dial, open, refusal, startApi } from './websocket-fixture.ts';

const METHOD_ARN = 'arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/live/$connect';

function policy(effect: string, resource: unknown = METHOD_ARN, more: Record<string, unknown> = {}): unknown {
  const statement = { Action: 'execute-api:Invoke', Effect: effect, Resource: resource };
  return { principalId: 'user', policyDocument: { Version: '2012-10-17', Statement: [statement] }, ...more };
}

async function startAuthorized(respond: Respond, identitySource: readonly string[] = []) {
  const authorizer = new RecordingFunction<WebSocketAuthorizerEvent>('authorizer', respond);
  const connect = new RecordingFunction<AnyEvent>('connect');
  const route = new RecordingFunction<AnyEvent>('route');
  const started = await startApi({
    routes: [
      { routeKey: '$connect', function: connect, authorizer: { function: authorizer, identitySource } },
      { routeKey: '$default', function: route },
    ],
  });
  return { ...started, authorizer, connect, route };
}

describe('the outcome of $connect (aws-facts 1.5)', () => {
  it('connects without a $connect route', async () => {
    const { api } = await startApi({});
    await open(api.url);
    expect(api.connections()).toHaveLength(1);
  });

  it.each([200, 201, 204])('upgrades for %i', async (statusCode) => {
    const connect = new RecordingFunction('connect', () => ({ statusCode }));
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    await open(api.url);
  });

  it.each([301, 400, 401, 403, 501])(
    'passes %i on as it is; no connection, no $disconnect',
    async (statusCode) => {
      const connect = new RecordingFunction('connect', () => ({ statusCode, body: 'why' }));
      const { api, disconnect } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
      expect((await refusal(api.url)).status).toBe(statusCode);
      expect(api.connections()).toHaveLength(0);
      await api.close();
      expect(disconnect.events).toHaveLength(0);
    },
  );

  it.each([
    ['throws', () => Promise.reject(new Error('broken'))],
    ['returns nothing', () => undefined],
    ['returns no statusCode', () => ({ body: 'x' })],
    [
      'names an impossible subprotocol',
      () => ({ statusCode: 200, headers: { 'Sec-WebSocket-Protocol': 'a\r\nb' } }),
    ],
  ])('answers 502 when the function %s', async (_problem, respond) => {
    const connect = new RecordingFunction('connect', respond);
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    expect((await refusal(api.url)).status).toBe(502);
  });

  it('answers 502, and lives on, when invoking itself throws against its contract', async () => {
    const broken = {
      name: 'broken',
      arn: 'arn:broken',
      invoke: () => {
        throw new Error('no worker');
      },
    };
    const { api, log } = await startApi({ routes: [{ routeKey: '$connect', function: broken }] });
    expect((await refusal(api.url)).status).toBe(502);
    expect((await refusal(api.url)).status).toBe(502);
    expect(log.join('\n')).toContain('no worker');
  });

  it('answers 504 when the integration time-out is over', async () => {
    const connect = new RecordingFunction('connect', () => new Promise(() => undefined));
    const { api, clock } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    const refused = refusal(api.url);
    await connect.event();
    clock.advance(29_000);
    expect((await refused).status).toBe(504);
  });

  it('holds the upgrade until $connect has returned', async () => {
    const returned = gate<unknown>();
    const connect = new RecordingFunction('connect', () => returned.promise);
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    const client = dial(api.url);
    await connect.event();
    expect(client.readyState).toBe(client.CONNECTING);
    expect(api.connections()).toHaveLength(0);
    const opened = once(client, 'open');
    returned.open({ statusCode: 200 });
    await opened;
    expect(api.connections()).toHaveLength(1);
  });

  it('survives a client that leaves while $connect runs', async () => {
    const returned = gate<unknown>();
    const connect = new RecordingFunction('connect', () => returned.promise);
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    const client = dial(api.url);
    client.on('error', () => undefined);
    await connect.event();
    const left = new Promise((resolve) => client.once('close', resolve));
    client.terminate();
    await left;
    returned.open({ statusCode: 200 });
    await open(api.url);
  });

  it('answers a plain GET of the endpoint with 426', async () => {
    const { api } = await startApi({});
    expect((await fetch(api.managementUrl)).status).toBe(426);
  });

  it.each(['/', '/other', '/live/more'])('answers 403 Forbidden on the path %s', async (path) => {
    const { api } = await startApi({});
    const origin = `127.0.0.1:${api.port}`;
    expect(await refusal(`ws://${origin}${path}`)).toEqual({ status: 403, body: '{"message":"Forbidden"}' });
    const plain = await fetch(`http://${origin}${path}`);
    expect([plain.status, await plain.text()]).toEqual([403, '{"message":"Forbidden"}']);
  });

  it('refuses a URL of more than 4096 characters without an invocation', async () => {
    const connect = new RecordingFunction('connect');
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    expect((await refusal(`${api.url}?x=${'y'.repeat(4096)}`)).status).toBe(414);
    expect(connect.events).toHaveLength(0);
  });

  it('answers 429 when the throttle of $connect is exceeded, and lets in again later', async () => {
    const { api, clock } = await startApi({ settings: { throttling: { rateLimit: 1, burstLimit: 2 } } });
    await open(api.url);
    await open(api.url);
    const refused = await refusal(api.url);
    expect(refused.status).toBe(429);
    expect(refused.body).toContain('"message": "Too Many Requests"');
    clock.advance(1000);
    await open(api.url);
  });
});

describe('the authorizer (aws-facts 1.5, 1.6)', () => {
  it('sees type, methodArn, Connection and Upgrade, and the requestContext of $connect', async () => {
    const { api, authorizer, connect } = await startAuthorized(() => policy('Allow'));
    await open(`${api.url}?ticket=t`);
    const event = await authorizer.event();
    expect(Object.keys(event)).toEqual([
      'type',
      'methodArn',
      'headers',
      'multiValueHeaders',
      'queryStringParameters',
      'multiValueQueryStringParameters',
      'stageVariables',
      'requestContext',
    ]);
    expect(event).toMatchObject({
      type: 'REQUEST',
      methodArn: METHOD_ARN,
      headers: { Connection: 'Upgrade', Upgrade: 'websocket', 'content-length': '0' },
      queryStringParameters: { ticket: 't' },
      stageVariables: {},
    });
    const { authorizer: context, ...connectContext } = (await connect.event()).requestContext;
    expect(event.requestContext).toEqual(connectContext);
    expect(context).toEqual({ principalId: 'user' });
  });

  it('has its principalId and context replayed, with their types, on every event of the connection', async () => {
    const context = { owner: 'ann', level: 3, admin: false };
    const { api, connect, route, disconnect } = await startAuthorized(() =>
      policy('Allow', '*', { context }),
    );
    const client = await open(api.url);
    client.send('hello');
    await route.event();
    client.close();
    for (const event of [await connect.event(), await route.event(), await disconnect.event()]) {
      expect(event.requestContext.authorizer).toEqual({ principalId: 'user', ...context });
    }
  });

  it.each([
    ['header', 'route.request.header.Auth', {}, ''],
    ['header, empty', 'route.request.header.Auth', { Auth: '' }, ''],
    ['query string', 'route.request.querystring.ticket', {}, ''],
    ['query string, empty', 'route.request.querystring.ticket', {}, '?ticket='],
    ['query string, other case', 'route.request.querystring.ticket', {}, '?Ticket=t'],
  ])(
    'answers 401 without invoking it when its identity source is missing: %s',
    async (_name, source, headers, query) => {
      const { api, authorizer } = await startAuthorized(() => policy('Allow'), [source]);
      expect((await refusal(api.url + query, { headers })).status).toBe(401);
      expect(authorizer.events).toHaveLength(0);
    },
  );

  it('needs all of its identity sources, headers in any case', async () => {
    const sources = ['route.request.header.Auth', 'route.request.querystring.ticket'];
    const { api, authorizer } = await startAuthorized(() => policy('Allow'), sources);
    expect((await refusal(`${api.url}?ticket=t`)).status).toBe(401);
    await open(`${api.url}?ticket=t`, [], { headers: { aUTH: 'a' } });
    expect(authorizer.events).toHaveLength(1);
  });

  it('is invoked for every connect: a WebSocket API caches no results', async () => {
    const { api, authorizer } = await startAuthorized(
      () => policy('Allow'),
      ['route.request.querystring.ticket'],
    );
    await open(`${api.url}?ticket=t`);
    await open(`${api.url}?ticket=t`);
    expect(authorizer.events).toHaveLength(2);
  });

  it.each([
    ['exactly "Unauthorized"', 'Unauthorized', 401],
    ['anything else', 'unauthorized', 500],
  ])('that throws %s gives %s -> %i', async (_name, message, status) => {
    const { api, connect } = await startAuthorized(() => Promise.reject(new Error(message)));
    expect((await refusal(api.url)).status).toBe(status);
    expect(connect.events).toHaveLength(0);
  });

  it.each([
    ['an explicit Deny', policy('Deny')],
    ['an Allow of another API', policy('Allow', METHOD_ARN.replace('a1b2', 'zzzz'))],
    ['an Allow of another route', policy('Allow', METHOD_ARN.replace('$connect', '$default'))],
    ['no statement that allows', { principalId: 'u', policyDocument: { Statement: [] } }],
    [
      'Deny beside Allow',
      {
        principalId: 'u',
        policyDocument: {
          Statement: [
            { Effect: 'Allow', Action: '*', Resource: '*' },
            { Effect: 'Deny', Action: 'execute-api:*', Resource: ['x', METHOD_ARN] },
          ],
        },
      },
    ],
  ])('answers 403 for %s', async (_name, result) => {
    const { api, connect } = await startAuthorized(() => result);
    const refused = await refusal(api.url);
    expect(refused.status).toBe(403);
    expect(refused.body).toContain('"message": "Forbidden"');
    expect(connect.events).toHaveLength(0);
  });

  it.each([
    ['*', '*'],
    ['a prefix', 'arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/*'],
    ['a wildcard in the middle', 'arn:aws:execute-api:*:*:a1b2c3d4e?/live/*connect'],
    ['one of a list', ['arn:aws:execute-api:x', METHOD_ARN]],
  ])('allows by %s', async (_name, resource) => {
    const { api } = await startAuthorized(() => policy('Allow', resource));
    await open(api.url);
  });

  it.each([
    ['nothing', undefined],
    ['text', 'Unauthorized'],
    ['a simple response of HTTP APIs', { isAuthorized: true }],
    ['no principalId', { policyDocument: { Statement: [{ Effect: 'Allow', Action: '*', Resource: '*' }] } }],
    ['no policyDocument', { principalId: 'u' }],
    ['an unknown Effect', policy('allow')],
    ['an object in the context', policy('Allow', '*', { context: { user: { id: 1 } } })],
    ['a list in the context', policy('Allow', '*', { context: { tags: ['a'] } })],
    ['more than 8 KB', policy('Allow', '*', { context: { much: 'x'.repeat(8192) } })],
  ])('answers 500 for %s', async (_name, result) => {
    const { api, connect } = await startAuthorized(() => result);
    expect((await refusal(api.url)).status).toBe(500);
    expect(connect.events).toHaveLength(0);
  });

  it('is not asked again for messages, whatever its policy says of other routes', async () => {
    const { api, authorizer, route } = await startAuthorized(() => policy('Allow'));
    (await open(api.url)).send('hello');
    await route.event();
    expect(authorizer.events).toHaveLength(1);
  });
});

describe('the subprotocol (aws-facts 1.7)', () => {
  async function startWithHeaders(headers: unknown) {
    const connect = new RecordingFunction('connect', () => ({ statusCode: 200, headers }));
    return startApi({ routes: [{ routeKey: '$connect', function: connect }] });
  }

  it.each(['Sec-WebSocket-Protocol', 'sec-websocket-protocol'])(
    'is what $connect returns in %s',
    async (name) => {
      const { api } = await startWithHeaders({ [name]: 'two' });
      expect((await open(api.url, ['one', 'two'])).protocol).toBe('two');
    },
  );

  it('is not chosen by the gateway: a client that offered one and gets none fails', async () => {
    const { api } = await startWithHeaders({});
    const [error] = (await once(dial(api.url, ['one', 'two']), 'error')) as [Error];
    expect(error.message).toBe('Server sent no subprotocol');
  });

  it('is sent even if the client did not offer it, and then the client fails', async () => {
    const { api } = await startWithHeaders({ 'Sec-WebSocket-Protocol': 'three' });
    const [error] = (await once(dial(api.url, ['one']), 'error')) as [Error];
    expect(error.message).toBe('Server sent an invalid subprotocol');
  });
});
