import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ManagedConnections } from '../../handlers/aws/managed-connections.ts';
import { MemoryConnections } from '../../handlers/memory/memory-connections.ts';
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

describeConnections('an API Gateway', async () => ({
  connections: new ManagedConnections({ socketUrl: server.socketUrl }),
  open: (connection) => void server.frames.set(connection, []),
  close: (connection) => void server.frames.delete(connection),
  framesOf: (connection) => server.frames.get(connection) ?? [],
}));

describe('what else an API Gateway answers', () => {
  const post = async () => {
    const before = server.requests();
    const error: unknown = await new ManagedConnections({ socketUrl: server.socketUrl })
      .post(newConnectionId(), '{}')
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    return { error, requests: server.requests() - before };
  };

  it.each([
    [410, undefined, 'ConnectionGoneError'], // a server that does not name the error
    [410, 'GoneException', 'ConnectionGoneError'],
    [429, 'LimitExceededException', 'UnavailableError'],
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

  it('a reset connection is UnavailableError, after one request', async () => {
    server.answerNext((request) => request.socket.resetAndDestroy());
    expect(await post()).toMatchObject({ error: { name: 'UnavailableError' }, requests: 1 });
  });

  it('silence is UnavailableError, after three seconds', async () => {
    server.answerNext(() => {});
    const start = performance.now();
    expect(await post()).toMatchObject({ error: { name: 'UnavailableError' }, requests: 1 });
    expect(performance.now() - start).toBeGreaterThan(2_900);
  });

  it('nobody who listens is UnavailableError', async () => {
    const connections = new ManagedConnections({ socketUrl: 'ws://127.0.0.1:1/live' });
    await expect(connections.post(newConnectionId(), '{}')).rejects.toMatchObject({
      name: 'UnavailableError',
    });
  });
});
