import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ConnectionPoster } from '../../handlers/aws/connection-poster.ts';
import { LateConnectionPoster } from '../../handlers/aws/late-connection-poster.ts';
import { ManagedConnections } from '../../handlers/aws/managed-connections.ts';
import { MemoryConnections } from '../../handlers/memory/memory-connections.ts';
import type { Connections } from '../../handlers/ports.ts';
import { describeConnections, newConnectionId } from './connections-suite.ts';
import { type ManagementServer, startManagementServer } from './management-server.ts';

let server: ManagementServer;
const saved = { ...process.env };
beforeAll(async () => {
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
  });
  server = await startManagementServer();
});
afterAll(async () => {
  process.env = saved;
  await server.close();
});

describeConnections('memory', async () => {
  const connections = new MemoryConnections();
  return {
    connections,
    open: (connection) => connections.open(connection),
    close: (connection) => connections.close(connection),
    framesOf: (connection) => connections.framesOf(connection),
  };
});

/** The ways to an API Gateway: those that functions take, and the SDK's client, which is their reference. */
const POSTERS: readonly [string, (socketUrl: string) => Connections][] = [
  ['ConnectionPoster', (socketUrl) => new ConnectionPoster({ socketUrl })],
  ['LateConnectionPoster', (socketUrl) => new LateConnectionPoster({ socketUrl })],
  ['ManagedConnections', (socketUrl) => new ManagedConnections({ socketUrl })],
];

for (const [name, create] of POSTERS) {
  describeConnections(`an API Gateway through ${name}`, async () => ({
    connections: create(server.socketUrl),
    open: (connection) => void server.frames.set(connection, []),
    close: (connection) => void server.frames.delete(connection),
    framesOf: (connection) => server.frames.get(connection) ?? [],
  }));
}

const failureOf = (post: Promise<void>): Promise<unknown> =>
  post.then(
    () => undefined,
    (reason: unknown) => reason,
  );

describe.each(POSTERS)('what else an API Gateway answers to %s', (_, create) => {
  const post = async () => {
    const before = server.requests();
    const error = await failureOf(create(server.socketUrl).post(newConnectionId(), '{}'));
    return { error, requests: server.requests() - before };
  };

  it.each([
    [410, undefined, 'ConnectionGoneError'], // a server that does not name the error
    [410, 'GoneException', 'ConnectionGoneError'],
    [410, 'GoneException:http://internal.amazon.com/coral/com.amazonaws/', 'ConnectionGoneError'],
    [429, 'LimitExceededException', 'UnavailableError'],
    [429, undefined, 'UnavailableError'],
    [400, 'LimitExceededException', 'UnavailableError'],
    [500, 'InternalServerError', 'UnavailableError'],
    [503, undefined, 'UnavailableError'],
    [400, 'BadRequestException', 'RefusedError'],
    [403, 'ForbiddenException', 'RefusedError'],
    [413, 'PayloadTooLargeException', 'RefusedError'],
  ])('%i %s is %s, after one request', async (status, type, name) => {
    server.answerNext((_request, response) => {
      response.writeHead(status, type === undefined ? {} : { 'x-amzn-errortype': type }).end();
    });
    expect(await post()).toMatchObject({ error: { name, cause: expect.anything() }, requests: 1 });
  });

  it('tells what API Gateway says of a refusal', async () => {
    server.answerNext((_request, response) => {
      response
        .writeHead(403, { 'x-amzn-errortype': 'ForbiddenException', 'content-type': 'application/json' })
        .end('{"message":"Signature expired"}');
    });
    expect(await post()).toMatchObject({
      error: { name: 'RefusedError', message: 'API Gateway refused: ForbiddenException: Signature expired' },
    });
  });

  it('a reset connection is UnavailableError, after one request', async () => {
    server.answerNext((request) => request.socket.resetAndDestroy());
    expect(await post()).toMatchObject({ error: { name: 'UnavailableError' }, requests: 1 });
  });

  it('an id that is no text is RefusedError, after no request', async () => {
    const before = server.requests();
    const error = await failureOf(create(server.socketUrl).post('\ud800', '{}'));
    expect(error).toMatchObject({ name: 'RefusedError', cause: { name: 'URIError' } });
    expect(server.requests()).toBe(before);
  });

  it('nobody who listens is UnavailableError', async () => {
    const post = create('ws://127.0.0.1:1/live').post(newConnectionId(), '{}');
    await expect(post).rejects.toMatchObject({ name: 'UnavailableError' });
  });
});

describe('an API Gateway that is silent', () => {
  it('is UnavailableError after three seconds', async () => {
    const silent = await startManagementServer();
    for (const _ of POSTERS) silent.answerNext(() => {});
    const start = performance.now();
    const failures = POSTERS.map(async ([, create]) => {
      const error = await failureOf(create(silent.socketUrl).post(newConnectionId(), '{}'));
      return { error, milliseconds: performance.now() - start };
    });
    for (const { error, milliseconds } of await Promise.all(failures)) {
      expect(error).toMatchObject({ name: 'UnavailableError' });
      expect(milliseconds).toBeGreaterThan(2_900);
    }
    expect(silent.requests()).toBe(POSTERS.length);
    await silent.close();
  });
});
