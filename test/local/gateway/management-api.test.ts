import {
  ApiGatewayManagementApiClient,
  DeleteConnectionCommand,
  GetConnectionCommand,
  PostToConnectionCommand,
} from '@aws-sdk/client-apigatewaymanagementapi';
import { describe, expect, it } from 'vitest';
import type { ManagementRequest } from '../../../local/gateway/management-api.ts';
import type { WebSocketApi } from '../../../local/gateway/websocket-api.ts';
import { gate, RecordingFunction } from './recording-function.ts';
import { type AnyEvent, closed, dial, nextText, open, openRaw, startApi } from './websocket-fixture.ts';

const NEVER_SEEN = 'AAAAAAAAAAAAAAA=';

function sdk(api: WebSocketApi): ApiGatewayManagementApiClient {
  return new ApiGatewayManagementApiClient({
    endpoint: api.managementUrl,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' },
    maxAttempts: 1,
  });
}

async function connected() {
  const started = await startApi({});
  const client = await open(started.api.url, [], { headers: { 'User-Agent': 'test/1' } });
  const ConnectionId = started.api.connections()[0]?.connectionId ?? '';
  return { ...started, client, ConnectionId, management: sdk(started.api) };
}

async function rejection(
  promise: Promise<unknown>,
): Promise<{ name: string; message: string; status: unknown }> {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as Error & { $metadata: { httpStatusCode?: number } };
    return { name, message, status: $metadata.httpStatusCode };
  }
  throw new Error('The call succeeded');
}

describe('@connections through SDK v3 (aws-facts 2)', () => {
  it('posts a text message and answers 200 with an empty body', async () => {
    const { client, ConnectionId, management, api } = await connected();
    const text = nextText(client);
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: '{"a":"ü"}' }));
    expect(await text).toBe('{"a":"ü"}');
    const response = await fetch(`${api.managementUrl}/@connections/${encodeURIComponent(ConnectionId)}`, {
      method: 'POST',
      body: 'x',
    });
    expect([response.status, await response.text()]).toEqual([200, '']);
  });

  it('gets connectedAt, lastActiveAt and identity', async () => {
    const { ConnectionId, management, clock, client } = await connected();
    const connectedAt = new Date(clock.now());
    clock.advance(7000);
    const text = nextText(client);
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: 'x' }));
    await text;
    const lastActiveAt = new Date(clock.now());
    clock.advance(1000);
    const found = await management.send(new GetConnectionCommand({ ConnectionId }));
    expect(found.ConnectedAt).toEqual(connectedAt);
    expect(found.LastActiveAt).toEqual(lastActiveAt);
    expect(found.Identity).toEqual({ SourceIp: '127.0.0.1', UserAgent: 'test/1' });
  });

  it('writes what it gets in camelCase with ISO 8601 dates', async () => {
    const { ConnectionId, api, clock } = await connected();
    const response = await fetch(`${api.managementUrl}/@connections/${ConnectionId}`);
    const now = new Date(clock.now()).toISOString();
    expect([response.status, await response.json()]).toEqual([
      200,
      { connectedAt: now, identity: { sourceIp: '127.0.0.1', userAgent: 'test/1' }, lastActiveAt: now },
    ]);
  });

  it('deletes: 204, the client sees 1000 "Connection Closed Normally", and so does $disconnect', async () => {
    const { ConnectionId, management, client, disconnect } = await connected();
    const end = closed(client);
    const { $metadata } = await management.send(new DeleteConnectionCommand({ ConnectionId }));
    expect($metadata.httpStatusCode).toBe(204);
    expect(await end).toEqual({ code: 1000, reason: 'Connection Closed Normally' });
    expect((await disconnect.event()).requestContext).toMatchObject({
      disconnectStatusCode: 1000,
      disconnectReason: 'Connection Closed Normally',
    });
  });

  it('is GoneException by name for an id never seen, one deleted and one that left', async () => {
    const { ConnectionId, management, client, disconnect, api } = await connected();
    const gone = { name: 'GoneException', status: 410 };
    const post = (id: string) =>
      rejection(management.send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x' })));
    expect(await post(NEVER_SEEN)).toMatchObject(gone);
    await management.send(new DeleteConnectionCommand({ ConnectionId }));
    expect(await post(ConnectionId)).toMatchObject(gone);

    await disconnect.event(1);
    const other = await open(api.url);
    const otherId = api.connections()[0]?.connectionId ?? '';
    other.close();
    await disconnect.event(2);
    expect(await post(otherId)).toMatchObject(gone);
    expect(
      await rejection(management.send(new GetConnectionCommand({ ConnectionId: otherId }))),
    ).toMatchObject(gone);
    expect(
      await rejection(management.send(new DeleteConnectionCommand({ ConnectionId: otherId }))),
    ).toMatchObject(gone);
    expect(client.readyState).toBe(client.CLOSED);
  });

  it('answers 410 with x-amzn-ErrorType and an empty body', async () => {
    const { api } = await connected();
    const response = await fetch(`${api.managementUrl}/@connections/${NEVER_SEEN}`, {
      method: 'POST',
      body: 'x',
    });
    expect(response.status).toBe(410);
    expect(response.headers.get('x-amzn-ErrorType')).toBe('GoneException');
    expect(await response.text()).toBe('');
  });

  it('is GoneException while $connect runs', async () => {
    const returned = gate<unknown>();
    const connect = new RecordingFunction<AnyEvent>('connect', () => returned.promise);
    const { api } = await startApi({ routes: [{ routeKey: '$connect', function: connect }] });
    const client = dial(api.url);
    const { connectionId: ConnectionId } = (await connect.event()).requestContext;
    const refused = await rejection(
      sdk(api).send(new PostToConnectionCommand({ ConnectionId, Data: 'welcome' })),
    );
    expect(refused).toMatchObject({ name: 'GoneException', status: 410 });
    const opened = new Promise((resolve) => client.once('open', resolve));
    returned.open({ statusCode: 200 });
    await opened;
    const text = nextText(client);
    await sdk(api).send(new PostToConnectionCommand({ ConnectionId, Data: 'welcome' }));
    expect(await text).toBe('welcome');
  });

  it.each(['nonsense', 'a/b', 'R1kmxc2VNjMCFIA', 'f8c0a1de-7a4c-4e0c-9c64-1a1f7a1b0f52'])(
    'is BadRequestException "Invalid connectionId: %s" for an id of wrong form',
    async (ConnectionId) => {
      const { management } = await connected();
      expect(await rejection(management.send(new GetConnectionCommand({ ConnectionId })))).toEqual({
        name: 'BadRequestException',
        message: `Invalid connectionId: ${ConnectionId}`,
        status: 400,
      });
    },
  );

  it('takes 128 KB and is PayloadTooLargeException for one byte more', async () => {
    const { ConnectionId, management, client } = await connected();
    const text = nextText(client);
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: 'x'.repeat(131_072) }));
    expect(await text).toHaveLength(131_072);
    const larger = new PostToConnectionCommand({ ConnectionId, Data: 'x'.repeat(131_073) });
    expect(await rejection(management.send(larger))).toMatchObject({
      name: 'PayloadTooLargeException',
      status: 413,
    });
    expect(client.readyState).toBe(client.OPEN);
  });

  it('sends an empty message for an empty body', async () => {
    const { ConnectionId, api, client } = await connected();
    const text = nextText(client);
    await fetch(`${api.managementUrl}/@connections/${ConnectionId}`, { method: 'POST' });
    expect(await text).toBe('');
  });

  it('sends text whatever the bytes, so that a client never sees invalid UTF-8', async () => {
    const { ConnectionId, management, client } = await connected();
    const text = nextText(client);
    await management.send(new PostToConnectionCommand({ ConnectionId, Data: new Uint8Array([0x61, 0xff]) }));
    expect(await text).toBe('a\ufffd');
  });

  it('is LimitExceededException when the client does not read and its buffer is full, others are served', async () => {
    const { api } = await startApi({ settings: { clientBufferBytes: 256 * 1024 } });
    const slow = await openRaw(api);
    slow.pause();
    const ConnectionId = api.connections()[0]?.connectionId ?? '';
    const management = sdk(api);
    const post = () =>
      management.send(new PostToConnectionCommand({ ConnectionId, Data: 'x'.repeat(131_072) }));
    // The system's own socket buffers hold a few megabytes first.
    let refused: Awaited<ReturnType<typeof rejection>> | undefined;
    for (let attempt = 0; attempt < 500 && refused === undefined; attempt += 1) {
      refused = await post().then(
        () => undefined,
        (error: unknown) => rejection(Promise.reject(error)),
      );
    }
    expect(refused).toMatchObject({ name: 'LimitExceededException', status: 429 });
    expect(refused?.message).toContain('client side buffer is full');

    const other = await open(api.url);
    const text = nextText(other);
    const otherId = api.connections()[1]?.connectionId ?? '';
    await management.send(new PostToConnectionCommand({ ConnectionId: otherId, Data: 'quick' }));
    expect(await text).toBe('quick');
  });

  it.each(['@connections', '%40connections'])(
    'takes the path written %s, and the id with = or %%3D',
    async (name) => {
      const { ConnectionId, api } = await connected();
      for (const id of [ConnectionId, ConnectionId.replace('=', '%3D')]) {
        expect((await fetch(`${api.managementUrl}/${name}/${id}`)).status).toBe(200);
      }
    },
  );

  it('answers 403 "No method found matching route" under another stage, and for another method', async () => {
    const { ConnectionId, api } = await connected();
    const wrong = `http://127.0.0.1:${api.port}/other/@connections/${ConnectionId}`;
    const response = await fetch(wrong, { method: 'POST', body: 'x' });
    expect(response.status).toBe(403);
    expect(response.headers.get('x-amzn-ErrorType')).toBe('ForbiddenException');
    expect(await response.json()).toEqual({
      message: `No method found matching route other/@connections/${ConnectionId} for http method POST`,
    });
    expect((await fetch(`${api.managementUrl}/@connections/${ConnectionId}`, { method: 'PUT' })).status).toBe(
      403,
    );
  });
});

describe('permissions of @connections (aws-facts 2)', () => {
  it('asks with the action, the ARN of the method, and the signed request', async () => {
    const asked: ManagementRequest[] = [];
    const { api } = await startApi({
      settings: {
        authorizeManagement: (request) => {
          asked.push(request);
          return Promise.resolve('allowed');
        },
      },
    });
    await open(api.url);
    const ConnectionId = api.connections()[0]?.connectionId ?? '';
    await sdk(api).send(new PostToConnectionCommand({ ConnectionId, Data: 'x' }));
    expect(asked).toHaveLength(1);
    expect(asked[0]).toMatchObject({
      method: 'POST',
      url: `/live/@connections/${encodeURIComponent(ConnectionId)}`,
      action: 'execute-api:ManageConnections',
      resource: `arn:aws:execute-api:us-east-1:000000000000:a1b2c3d4e5/live/POST/@connections/${ConnectionId}`,
    });
    expect(asked[0]?.headers.authorization).toMatch(
      /Credential=AKIDEXAMPLE\/\d{8}\/us-east-1\/execute-api\/aws4_request/,
    );
  });

  it('is ForbiddenException with the reason when refused, before anything is said about the connection', async () => {
    const { api, log } = await startApi({
      settings: { authorizeManagement: () => ({ refused: 'Missing Authentication Token' }) },
    });
    const client = await open(api.url);
    const ConnectionId = api.connections()[0]?.connectionId ?? '';
    for (const id of [ConnectionId, NEVER_SEEN, 'nonsense']) {
      const post = sdk(api).send(new PostToConnectionCommand({ ConnectionId: id, Data: 'x' }));
      expect(await rejection(post)).toEqual({
        name: 'ForbiddenException',
        message: 'Missing Authentication Token',
        status: 403,
      });
    }
    expect(client.readyState).toBe(client.OPEN);
    expect(log.join('\n')).toContain('Missing Authentication Token');
  });

  it('answers 500 when the decision itself fails, and goes on serving', async () => {
    const { api } = await startApi({
      settings: { authorizeManagement: () => Promise.reject(new Error('no policies loaded')) },
    });
    const get = sdk(api).send(new GetConnectionCommand({ ConnectionId: NEVER_SEEN }));
    expect(await rejection(get)).toMatchObject({ status: 500 });
    await open(api.url);
  });
});
