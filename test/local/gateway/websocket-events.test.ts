import { describe, expect, it } from 'vitest';
import { RecordingFunction } from './recording-function.ts';
import { type AnyEvent, open, startApi } from './websocket-fixture.ts';

const ID = /^[A-Za-z0-9_-]{15}=$/;

describe('events of a WebSocket API (aws-facts 1.1)', () => {
  it('gives $connect headers, query and requestContext, and neither body nor stageVariables', async () => {
    const connect = new RecordingFunction<AnyEvent>('connect');
    const { api, clock } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    await open(`${api.url}?job=1&tag=a&tag=b`, [], { headers: { 'User-Agent': 'test/1', 'X-Mine': 'yes' } });

    const event = await connect.event();
    expect(Object.keys(event)).toEqual([
      'headers',
      'multiValueHeaders',
      'queryStringParameters',
      'multiValueQueryStringParameters',
      'requestContext',
      'isBase64Encoded',
    ]);
    expect(event.isBase64Encoded).toBe(false);
    expect(event.queryStringParameters).toEqual({ job: '1', tag: 'b' });
    expect(event.multiValueQueryStringParameters).toEqual({ job: ['1'], tag: ['a', 'b'] });
    expect(event.requestContext).toEqual({
      routeKey: '$connect',
      eventType: 'CONNECT',
      extendedRequestId: event.requestContext.requestId,
      requestTime: '23/Nov/2026:12:00:00 +0000',
      messageDirection: 'IN',
      stage: 'live',
      connectedAt: clock.now(),
      requestTimeEpoch: clock.now(),
      identity: { userAgent: 'test/1', sourceIp: '127.0.0.1' },
      requestId: expect.stringMatching(ID),
      domainName: `127.0.0.1:${api.port}`,
      connectionId: expect.stringMatching(ID),
      apiId: 'a1b2c3d4e5',
    });
  });

  it('has no query members in $connect when the client sent no query', async () => {
    const connect = new RecordingFunction<AnyEvent>('connect');
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    await open(api.url);
    expect(Object.keys(await connect.event())).toEqual([
      'headers',
      'multiValueHeaders',
      'requestContext',
      'isBase64Encoded',
    ]);
  });

  it('keeps the casing of headers at $connect, adds the forwarding ones, drops Connection and Upgrade', async () => {
    const connect = new RecordingFunction<AnyEvent>('connect');
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    await open(api.url, [], { headers: { 'X-MiXed': 'one' } });

    const { headers, multiValueHeaders } = await connect.event();
    expect(Object.keys(headers).map((name) => name.toLowerCase())).not.toContain('connection');
    expect(Object.keys(headers).map((name) => name.toLowerCase())).not.toContain('upgrade');
    expect(headers).toMatchObject({
      Host: `127.0.0.1:${api.port}`,
      'X-MiXed': 'one',
      'Sec-WebSocket-Key': expect.any(String),
      'Sec-WebSocket-Version': '13',
      'X-Forwarded-For': '127.0.0.1',
      'X-Forwarded-Port': String(api.port),
      'X-Forwarded-Proto': 'http',
      'X-Amzn-Trace-Id': expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/),
    });
    expect(multiValueHeaders).toMatchObject({ 'X-MiXed': ['one'] });
  });

  it('gives a message requestContext, body and isBase64Encoded, and nothing else', async () => {
    const route = new RecordingFunction<AnyEvent>('route');
    const { api, clock } = await startApi({ routes: [{ routeKey: 'subscribe', function: route }] });
    const client = await open(api.url, [], { headers: { 'User-Agent': 'test/1' } });
    const connectedAt = clock.now();
    clock.advance(5000);
    client.send('{"action":"subscribe" }');

    const event = await route.event();
    expect(Object.keys(event)).toEqual(['requestContext', 'body', 'isBase64Encoded']);
    expect(event.body).toBe('{"action":"subscribe" }');
    expect(event.requestContext).toEqual({
      routeKey: 'subscribe',
      messageId: expect.stringMatching(ID),
      eventType: 'MESSAGE',
      extendedRequestId: event.requestContext.requestId,
      requestTime: '23/Nov/2026:12:00:05 +0000',
      messageDirection: 'IN',
      stage: 'live',
      connectedAt,
      requestTimeEpoch: connectedAt + 5000,
      identity: { userAgent: 'test/1', sourceIp: '127.0.0.1' },
      requestId: expect.stringMatching(ID),
      domainName: `127.0.0.1:${api.port}`,
      connectionId: expect.stringMatching(ID),
      apiId: 'a1b2c3d4e5',
    });
  });

  it('gives $disconnect four headers, the code and the reason, and no messageId', async () => {
    const { api, disconnect } = await startApi({});
    const client = await open(api.url);
    client.close(3000, 'enough');

    const event = await disconnect.event();
    expect(Object.keys(event)).toEqual(['headers', 'multiValueHeaders', 'requestContext', 'isBase64Encoded']);
    expect(event.headers).toEqual({
      Host: `127.0.0.1:${api.port}`,
      'x-api-key': '',
      'X-Forwarded-For': '',
      'x-restapi': '',
    });
    expect(event.multiValueHeaders).toEqual({
      Host: [`127.0.0.1:${api.port}`],
      'x-api-key': [''],
      'X-Forwarded-For': [''],
      'x-restapi': [''],
    });
    expect(event.requestContext).toMatchObject({
      routeKey: '$disconnect',
      eventType: 'DISCONNECT',
      messageDirection: 'IN',
      disconnectStatusCode: 3000,
      disconnectReason: 'enough',
    });
    expect(event.requestContext).not.toHaveProperty('messageId');
    expect(event).not.toHaveProperty('queryStringParameters');
  });

  it('keeps connectionId and connectedAt over all events, and gives each event a requestId of its own', async () => {
    const connect = new RecordingFunction<AnyEvent>('connect');
    const route = new RecordingFunction<AnyEvent>('route');
    const { api, clock, disconnect } = await startApi({
      routes: [
        { routeKey: '$connect', function: connect },
        { routeKey: '$default', function: route },
      ],
    });
    const client = await open(api.url);
    clock.advance(1000);
    client.send('one');
    client.send('two');
    await route.event(2);
    client.close();
    await disconnect.event();

    const contexts = [...connect.events, ...route.events, ...disconnect.events].map(
      (event) => event.requestContext,
    );
    expect(new Set(contexts.map((context) => context.connectionId)).size).toBe(1);
    expect(new Set(contexts.map((context) => context.connectedAt)).size).toBe(1);
    expect(new Set(contexts.map((context) => context.requestId)).size).toBe(4);
    expect(contexts.every((context) => context.requestId === context.extendedRequestId)).toBe(true);
    expect(new Set(route.events.map((event) => event.requestContext.messageId)).size).toBe(2);
  });

  it('has no identity.userAgent when the client sent none', async () => {
    const connect = new RecordingFunction<AnyEvent>('connect');
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    await open(api.url);
    expect((await connect.event()).requestContext.identity).toEqual({ sourceIp: '127.0.0.1' });
  });
});
