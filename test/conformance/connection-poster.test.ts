import { once } from 'node:events';
import { getCACertificates, setDefaultCACertificates, TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { makeLoopbackCertificate } from '../../bench/loopback-certificate.ts';
import { ConnectionPoster } from '../../handlers/aws/connection-poster.ts';
import { newConnectionId } from './connections-suite.ts';
import { type ManagementServer, startManagementServer } from './management-server.ts';

beforeAll(() => {
  vi.stubEnv('AWS_REGION', 'us-east-1');
  vi.stubEnv('AWS_ACCESS_KEY_ID', 'test');
  vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'test');
  vi.stubEnv('AWS_SESSION_TOKEN', 'token');
});
afterAll(() => {
  vi.unstubAllEnvs();
});

let server: ManagementServer;
afterEach(async () => {
  vi.useRealTimers();
  await server.close();
});

function openConnection(): string {
  const connection = newConnectionId();
  server.frames.set(connection, []);
  return connection;
}

describe('the sockets of ConnectionPoster', () => {
  let poster: ConnectionPoster;
  beforeEach(async () => {
    server = await startManagementServer();
    poster = new ConnectionPoster({ socketUrl: server.socketUrl });
  });

  /** Breaks the socket that the next post comes on, as one that died while the function was frozen. */
  const breakNext = () => server.answerNext((request) => request.socket.resetAndDestroy());

  it('stay open from one post to the next', async () => {
    const connection = openConnection();
    for (let count = 0; count < 5; count += 1) await poster.post(connection, 'x');
    expect(server.frames.get(connection)).toHaveLength(5);
    expect(server.sockets).toHaveLength(1);
  });

  it('are at most 128, and every post gets its turn', async () => {
    const connections = Array.from({ length: 400 }, openConnection);
    await Promise.all(connections.map((connection) => poster.post(connection, connection)));
    for (const connection of connections) expect(server.frames.get(connection)).toEqual([connection]);
    expect(server.sockets).toHaveLength(128);
  });

  it('are replaced at once, and the post comes again, where one died after it had answered', async () => {
    const connection = openConnection();
    await poster.post(connection, 'first');
    breakNext();
    await poster.post(connection, 'second');
    expect(server.frames.get(connection)).toEqual(['first', 'second']);
    expect(server.requests()).toBe(3);
    expect(server.sockets).toHaveLength(2);
  });

  it('are not replaced a second time for the same post', async () => {
    const connection = openConnection();
    await poster.post(connection, 'first');
    breakNext();
    breakNext();
    await expect(poster.post(connection, 'second')).rejects.toMatchObject({
      name: 'UnavailableError',
      cause: { code: expect.stringMatching(/^(UND_ERR_SOCKET|ECONNRESET)$/) },
    });
    expect(server.requests()).toBe(3);
    await poster.post(connection, 'third');
    expect(server.frames.get(connection)).toEqual(['first', 'third']);
  });

  it('serve three seconds at the most, whatever they wait for, and another one after that', async () => {
    const connection = openConnection();
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const timedOut = { name: 'UnavailableError', cause: { name: 'TimeoutError' } };
    server.answerNext(() => vi.advanceTimersByTime(3_000));
    await expect(poster.post(connection, 'no headers')).rejects.toMatchObject(timedOut);
    server.answerNext((_request, response) => {
      response.writeHead(200).write('the beginning');
      vi.advanceTimersByTime(3_000);
    });
    await expect(poster.post(connection, 'no end')).rejects.toMatchObject(timedOut);
    await poster.post(connection, 'first');
    server.answerNext((request) => {
      vi.advanceTimersByTime(2_000);
      request.socket.resetAndDestroy();
    });
    server.answerNext(() => vi.advanceTimersByTime(1_000));
    await expect(poster.post(connection, 'no headers at the second attempt')).rejects.toMatchObject(timedOut);
    await poster.post(connection, 'second');
    expect(server.frames.get(connection)).toEqual(['first', 'second']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('may be closed by the other side between two posts', async () => {
    const connection = openConnection();
    server.answerNext((_request, response) => response.writeHead(200, { connection: 'close' }).end());
    await poster.post(connection, 'not kept');
    await poster.post(connection, 'first');
    const [, second] = server.sockets;
    second?.end();
    await once(second ?? server.sockets[0] ?? process, 'close');
    await poster.post(connection, 'second');
    expect(server.frames.get(connection)).toEqual(['first', 'second']);
    expect(server.requests()).toBe(3);
    expect(server.sockets).toHaveLength(3);
  });

  it('live for a minute, so that a name which leads elsewhere is followed', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const connection = openConnection();
    await poster.post(connection, 'x');
    vi.setSystemTime(Date.now() + 59_000);
    await poster.post(connection, 'x');
    expect(server.sockets).toHaveLength(1);
    vi.setSystemTime(Date.now() + 2_000);
    await poster.post(connection, 'x');
    expect(server.sockets).toHaveLength(2);
    const [first] = server.sockets;
    if (first?.destroyed === false) await once(first, 'close');
    expect(first?.destroyed).toBe(true);
  });

  it('serve the other posts when one is refused or gone', async () => {
    const connection = openConnection();
    const posts = [poster.post(connection, 'x'), poster.post(newConnectionId(), 'x')];
    const [sent, gone] = await Promise.allSettled(posts);
    expect(sent?.status).toBe('fulfilled');
    expect(gone).toMatchObject({ status: 'rejected', reason: { name: 'ConnectionGoneError' } });
    await poster.post(connection, 'y');
    expect(server.sockets).toHaveLength(2);
  });

  it('cut a long answer of something that is no API Gateway', async () => {
    server.answerNext((_request, response) => response.writeHead(403).end('<html>'.padEnd(1_000_000, ' ')));
    const error: unknown = await poster.post(openConnection(), 'x').catch((reason: unknown) => reason);
    expect(error).toMatchObject({
      name: 'RefusedError',
      message: expect.stringContaining('Status403: <html>'),
    });
    expect(String(error).length).toBeLessThan(10_000);
  });
});

describe('ConnectionPoster over TLS', () => {
  const certificate = makeLoopbackCertificate();
  const trusted = getCACertificates();
  beforeEach(async () => {
    server = await startManagementServer(certificate);
  });
  afterEach(() => setDefaultCACertificates(trusted));

  it('posts, and resumes the session on its next socket', async () => {
    setDefaultCACertificates([certificate.certificate]);
    const poster = new ConnectionPoster({ socketUrl: server.socketUrl });
    const connection = openConnection();
    await poster.post(connection, '{"text":"naïve 🚀"}');
    server.answerNext((request) => request.socket.destroy());
    await poster.post(connection, 'second');
    expect(server.frames.get(connection)).toEqual(['{"text":"naïve 🚀"}', 'second']);
    const [, second] = server.sockets;
    expect(second instanceof TLSSocket && second.isSessionReused()).toBe(true);
  });

  it('refuses a certificate that nobody vouches for', async () => {
    const poster = new ConnectionPoster({ socketUrl: server.socketUrl });
    await expect(poster.post(openConnection(), 'x')).rejects.toMatchObject({
      name: 'RefusedError',
      cause: { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' },
    });
  });
});
