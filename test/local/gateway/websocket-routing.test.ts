// biome-ignore-all lint/suspicious/noTemplateCurlyInString: API Gateway's own expressions look like templates
import { describe, expect, it } from 'vitest';
import { GatewaySettingsError } from '../../../local/gateway/gateway-error.ts';
import { parseRouteSelection } from '../../../local/gateway/route-selection.ts';
import { gate, RecordingFunction } from './recording-function.ts';
import { type AnyEvent, nextText, open, startApi } from './websocket-fixture.ts';

describe('the route selection expression (aws-facts 1.3)', () => {
  it.each([
    ['$request.body.action', '{"action":"join"}', 'join'],
    ['$request.body.a.b', '{"a":{"b":"deep"}}', 'deep'],
    ['${request.body.action}', '{"action":"join"}', 'join'],
    ['${request.body.service}/${request.body.action}', '{"service":"chat","action":"join"}', 'chat/join'],
    ['v1-${request.body.action}', '{"action":"join"}', 'v1-join'],
    ["$request.body['a b'][0]", '{"a b":["first"]}', 'first'],
    ['$request.body.action', '{"action":7}', '7'],
    ['$request.body.action', '{"action":true}', 'true'],
    ['$request.body.action', '{"action":["item1","item2"]}', '[item1, item2]'],
    ['$request.body.action', '{}', ''],
    ['${request.body.a}/${request.body.b}', '{"a":"x"}', 'x/'],
    ['$request.body.toString', '{}', ''],
    ['$request.body.action', '"text"', ''],
    ['\\$default', 'no JSON', '$default'],
    ['word', 'no JSON', 'word'],
  ])('%s of %s is "%s"', (expression, body, value) => {
    expect(parseRouteSelection(expression).evaluate(body)).toBe(value);
  });

  it('has no value for a body that is no JSON', () => {
    expect(parseRouteSelection('$request.body.action').evaluate('hello')).toBeUndefined();
  });

  it.each(['', '$request.header.x', '${request.body', '$request.body', '${context.x}'])(
    'refuses "%s" by name',
    (expression) => {
      expect(() => parseRouteSelection(expression)).toThrow(GatewaySettingsError);
    },
  );
});

describe('routing of messages (aws-facts 1.3)', () => {
  async function startWithDefault() {
    const join = new RecordingFunction<AnyEvent>('join');
    const fallback = new RecordingFunction<AnyEvent>('fallback');
    const { api } = await startApi({
      routes: [
        { routeKey: 'join', function: join },
        { routeKey: '$default', function: fallback },
      ],
    });
    return { join, fallback, client: await open(api.url) };
  }

  it('takes the route of exactly the value, without "$" in the routeKey', async () => {
    const { join, client } = await startWithDefault();
    client.send('{"action":"join"}');
    expect((await join.event()).requestContext.routeKey).toBe('join');
  });

  it.each(['{"action":"Join"}', '{}', 'not JSON', '', '{"action":"$connect"}', '{"action":"$disconnect"}'])(
    'sends %s to $default',
    async (message) => {
      const { join, fallback, client } = await startWithDefault();
      client.send(message);
      const event = await fallback.event();
      expect(event.requestContext.routeKey).toBe('$default');
      expect(event.body).toBe(message);
      expect(join.events).toHaveLength(0);
    },
  );

  it('answers the Forbidden frame, to the space, when there is no route and no $default; the socket stays open', async () => {
    const join = new RecordingFunction<AnyEvent>('join');
    const { api } = await startApi({ routes: [{ routeKey: 'join', function: join }] });
    const client = await open(api.url);
    client.send('{"action":"leave"}');
    const text = await nextText(client);
    const [connection] = api.connections();
    expect(text).toMatch(
      /^\{"message": "Forbidden", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}$/,
    );
    expect(JSON.parse(text)).toMatchObject({ connectionId: connection?.connectionId });
    expect(join.events).toHaveLength(0);
    client.send('{"action":"join"}');
    await join.event();
  });

  it('runs messages of one connection at the same time, so that they may overtake each other', async () => {
    const first = gate();
    const route = new RecordingFunction<AnyEvent>('route', async (event: AnyEvent) => {
      if (event.body === 'first') await first.promise;
      return { statusCode: 200, body: event.body };
    });
    const { api } = await startApi({
      routes: [{ routeKey: '$default', function: route, routeResponse: true }],
    });
    const client = await open(api.url);
    client.send('first');
    client.send('second');
    expect(await nextText(client)).toBe('second');
    const later = nextText(client);
    first.open();
    expect(await later).toBe('first');
  });
});

describe('route responses and failures (aws-facts 1.4)', () => {
  async function answerTo(routeResponse: boolean, respond: () => unknown): Promise<string> {
    const route = new RecordingFunction<AnyEvent>('route', respond);
    const marker = new RecordingFunction('marker', () => ({ statusCode: 200, body: 'nothing came before' }));
    const { api } = await startApi({
      routes: [
        { routeKey: '$default', function: route, routeResponse },
        { routeKey: 'marker', function: marker, routeResponse: true },
      ],
    });
    const client = await open(api.url);
    client.send('hello');
    await route.event();
    client.send('{"action":"marker"}');
    return nextText(client);
  }

  it('discards the result of a route without a route response', async () => {
    expect(await answerTo(false, () => ({ statusCode: 200, body: 'lost' }))).toBe('nothing came before');
  });

  it('does nothing about a status of 500 on a one-way route', async () => {
    expect(await answerTo(false, () => ({ statusCode: 500, body: 'lost' }))).toBe('nothing came before');
  });

  it('sends the body as the frame when the route has a response', async () => {
    expect(await answerTo(true, () => ({ statusCode: 200, body: '{"pong":true}' }))).toBe('{"pong":true}');
  });

  it.each([[{ statusCode: 200 }], [{ statusCode: 200, body: '' }], [undefined], [null]])(
    'sends an empty message for the result %j of a route with a response',
    async (result) => {
      expect(await answerTo(true, () => result)).toBe('');
    },
  );

  it.each([true, false])(
    'answers the Internal server error frame when the function throws (route response: %s); the socket stays open',
    async (routeResponse) => {
      const text = await answerTo(routeResponse, () => {
        throw new Error('secret');
      });
      expect(text).toMatch(
        /^\{"message": "Internal server error", "connectionId":"[\w-]{15}=", "requestId":"[\w-]{15}="\}$/,
      );
    },
  );

  it('gives the frame the requestId of the event', async () => {
    const route = new RecordingFunction<AnyEvent>('route', () => Promise.reject(new Error('broken')));
    const { api } = await startApi({ routes: [{ routeKey: '$default', function: route }] });
    const client = await open(api.url);
    client.send('hello');
    const frame: unknown = JSON.parse(await nextText(client));
    expect(frame).toMatchObject({ requestId: (await route.event()).requestContext.requestId });
  });

  it('answers the Internal server error frame for a non-2xx status on a two-way route (single report)', async () => {
    expect(await answerTo(true, () => ({ statusCode: 400, body: 'mine' }))).toContain(
      '"Internal server error"',
    );
  });

  it('answers an error frame when the integration time-out is over; the late result is lost', async () => {
    const late = gate<unknown>();
    const route = new RecordingFunction<AnyEvent>('route', () => late.promise);
    const { api, clock } = await startApi({
      routes: [{ routeKey: '$default', function: route, routeResponse: true, integrationTimeoutMs: 2000 }],
    });
    const client = await open(api.url);
    const texts: string[] = [];
    client.on('message', (data) => texts.push(String(data)));
    client.send('hello');
    await route.event();
    clock.advance(1999);
    expect(texts).toEqual([]);
    const frame = nextText(client);
    clock.advance(1);
    expect(await frame).toMatch(/^\{"message": "Endpoint request timed out", /);
    late.open({ statusCode: 200, body: 'late' });
    const pong = new Promise((resolve) => client.once('pong', resolve));
    client.ping();
    await pong;
    expect(texts).toHaveLength(1);
  });

  it('gives a route 29 seconds unless told otherwise', async () => {
    const route = new RecordingFunction<AnyEvent>('route', () => new Promise(() => undefined));
    const { api, clock } = await startApi({ routes: [{ routeKey: '$default', function: route }] });
    const client = await open(api.url);
    client.send('hello');
    await route.event();
    const frame = nextText(client);
    clock.advance(29_000);
    expect(await frame).toContain('timed out');
  });
});

describe('settings that API Gateway refuses', () => {
  const route = new RecordingFunction('route');
  it.each([
    ['a custom key that starts with "$"', [{ routeKey: '$mine', function: route }]],
    [
      'two routes of one key',
      [
        { routeKey: 'a', function: route },
        { routeKey: 'a', function: route },
      ],
    ],
    ['more than 29 seconds', [{ routeKey: 'a', function: route, integrationTimeoutMs: 29_001 }]],
    ['less than 50 ms', [{ routeKey: 'a', function: route, integrationTimeoutMs: 49 }]],
    [
      'an authorizer elsewhere than on $connect',
      [{ routeKey: 'a', function: route, authorizer: { function: route, identitySource: [] } }],
    ],
    [
      'an identity source of the HTTP form',
      [
        {
          routeKey: '$connect',
          function: route,
          authorizer: { function: route, identitySource: ['$request.header.A'] },
        },
      ],
    ],
  ])('%s', async (_problem, routes) => {
    await expect(startApi({ routes })).rejects.toThrow(GatewaySettingsError);
  });

  it.each(['ping', 'sping', 'a/b', ''])('the stage name "%s"', async (stageName) => {
    await expect(startApi({ settings: { stageName } })).rejects.toThrow(GatewaySettingsError);
  });
});
