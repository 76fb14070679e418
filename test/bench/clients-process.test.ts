import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { type Child, startChild } from '../../bench/child-process.ts';
import type { Clients } from '../../bench/clients-process.ts';

const COUNT = 50;
/** A frame has a header of two bytes. */
const TEXT = 'x'.repeat(100);
const BYTES = TEXT.length + 2;

let server: WebSocketServer;
let clients: Child<Clients>;

beforeAll(async () => {
  server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await new Promise((resolve) => server.once('listening', resolve));
  // An address is text for pipes only; this server listens on TCP.
  const { port } = server.address() as AddressInfo;
  clients = startChild<Clients>(new URL('../../bench/clients-process.ts', import.meta.url));
  await clients.call('connect', { port, path: '/', count: COUNT });
});

afterAll(async () => {
  await clients.end();
  await new Promise((resolve) => server.close(resolve));
});

function broadcast(): void {
  for (const socket of server.clients) socket.send(TEXT);
}

it('says when every client has got everything, broadcast after broadcast', async () => {
  for (let round = 0; round < 3; round += 1) {
    broadcast();
    await clients.call('received', BYTES);
  }
});

it('waits for the last client', async () => {
  let settled = false;
  const received = clients.call('received', BYTES).then(() => {
    settled = true;
  });
  const [last, ...others] = server.clients;
  for (const socket of others) socket.send(TEXT);
  // A call in between, which is answered in the meantime.
  await clients.call('connect', { port: 0, path: '/', count: 0 });
  expect(settled).toBe(false);
  last?.send(TEXT);
  await received;
});

it('refuses a byte too many', async () => {
  const received = clients.call('received', BYTES - 1);
  broadcast();
  await expect(received).rejects.toThrow(`A socket got ${BYTES} bytes where ${BYTES - 1} were sent`);
});
