import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { RecordingFunction } from './recording-function.ts';
import { type AnyEvent, closed, frame, nextText, open, openRaw, startApi } from './websocket-fixture.ts';

const KIB = 1024;
const CONTINUATION = 0x0;
const TEXT = 0x1;
const CLOSE = 0x8;
const PING = 0x9;

async function startDefault() {
  const route = new RecordingFunction<AnyEvent>('route', (event: AnyEvent) => ({
    statusCode: 200,
    body: String(event.body.length),
  }));
  const started = await startApi({
    routes: [{ routeKey: '$default', function: route, routeResponse: true }],
  });
  return { ...started, route };
}

/** A message of `count` frames of `size` bytes each. */
function fragments(size: number, count: number): Buffer {
  const part = (index: number) =>
    frame(index === 0 ? TEXT : CONTINUATION, Buffer.alloc(size, 'x'), index === count - 1);
  return Buffer.concat(Array.from({ length: count }, (_, index) => part(index)));
}

describe('limits of frames and messages (aws-facts 1.2, 1.8, 1.9)', () => {
  it('takes a frame of exactly 32 KB', async () => {
    const { api } = await startDefault();
    const client = await open(api.url);
    client.send('x'.repeat(32 * KIB));
    expect(await nextText(client)).toBe(String(32 * KIB));
  });

  it('closes with 1009 for a frame of 32 KB and one byte, and no function hears of it', async () => {
    const { api, route, disconnect } = await startDefault();
    const client = await open(api.url);
    client.send('x'.repeat(32 * KIB + 1));
    expect(await closed(client)).toEqual({ code: 1009, reason: '' });
    expect((await disconnect.event()).requestContext.disconnectStatusCode).toBe(1009);
    expect(route.events).toHaveLength(0);
  });

  it('takes a message of exactly 128 KB in frames of 32 KB', async () => {
    const { api, route } = await startDefault();
    const socket = await openRaw(api);
    socket.write(fragments(32 * KIB, 4));
    expect((await route.event()).body).toHaveLength(128 * KIB);
  });

  it('closes with 1009 for a message of more than 128 KB in small frames', async () => {
    const { api, route, disconnect } = await startDefault();
    const socket = await openRaw(api);
    const close = frame(CLOSE, Buffer.alloc(0));
    socket.write(Buffer.concat([fragments(16 * KIB, 8), fragments(16 * KIB, 9), close]));
    await route.event();
    expect((await disconnect.event()).requestContext.disconnectStatusCode).toBe(1009);
    expect(route.events).toHaveLength(1);
  });

  it('counts each message by itself', async () => {
    const { api, route } = await startDefault();
    const socket = await openRaw(api);
    socket.write(Buffer.concat([fragments(32 * KIB, 3), fragments(32 * KIB, 3), fragments(32 * KIB, 3)]));
    await route.event(3);
  });

  it('closes with 1003 for a binary frame, and no function hears of it', async () => {
    const { api, route, disconnect } = await startDefault();
    const client = await open(api.url);
    client.send(Buffer.from('{"action":"x"}'), { binary: true });
    expect((await closed(client)).code).toBe(1003);
    expect((await disconnect.event()).requestContext.disconnectStatusCode).toBe(1003);
    expect(route.events).toHaveLength(0);
  });

  it('still takes the messages that came before a refused frame in the same packet, and none after it', async () => {
    const { api, route, disconnect } = await startDefault();
    const socket = await openRaw(api);
    const before = frame(TEXT, Buffer.from('before'));
    const tooLarge = frame(TEXT, Buffer.alloc(33 * KIB, 'x'));
    const after = frame(TEXT, Buffer.from('after'));
    socket.write(Buffer.concat([before, tooLarge, after, frame(CLOSE, Buffer.alloc(0))]));
    await disconnect.event();
    expect(route.events.map((event) => event.body)).toEqual(['before']);
  });

  it('ends the closing handshake properly although the refused message goes on', async () => {
    const { api, disconnect } = await startDefault();
    const socket = await openRaw(api);
    socket.write(frame(TEXT, Buffer.alloc(33 * KIB, 'x'), false));
    const [closeFrame] = (await once(socket, 'data')) as [Buffer];
    expect([...closeFrame]).toEqual([0x88, 2, 0x03, 0xf1]);
    socket.write(frame(CONTINUATION, Buffer.from('the rest')));
    socket.write(frame(CLOSE, Buffer.from([0x03, 0xf1])));
    await once(socket, 'close');
    expect((await disconnect.event()).requestContext.disconnectStatusCode).toBe(1009);
  });

  it('reads frames whose bytes come one at a time, and control frames between fragments', async () => {
    const { api, route } = await startDefault();
    const socket = await openRaw(api);
    socket.setNoDelay(true);
    const message = Buffer.concat([
      frame(TEXT, Buffer.from('a'.repeat(130)), false),
      frame(PING, Buffer.from('between')),
      frame(CONTINUATION, Buffer.from('b')),
    ]);
    for (const byte of message) socket.write(Buffer.from([byte]));
    expect((await route.event()).body).toBe(`${'a'.repeat(130)}b`);
  });

  it('takes a message that comes with the handshake', async () => {
    const { api, route } = await startDefault();
    await openRaw(api, frame(TEXT, Buffer.from('early')));
    expect((await route.event()).body).toBe('early');
  });

  it('closes with 1007 for text that is not UTF-8, with 1002 for a frame that is none', async () => {
    const { api, disconnect } = await startDefault();
    (await openRaw(api)).write(frame(TEXT, Buffer.from([0xff, 0xfe])));
    expect((await disconnect.event(1)).requestContext.disconnectStatusCode).toBe(1007);
    (await openRaw(api)).write(frame(0x3, Buffer.from('x')));
    expect((await disconnect.event(2)).requestContext.disconnectStatusCode).toBe(1002);
  });

  it('sends a large message in frames of no more than 32 KB', async () => {
    const { api } = await startDefault();
    const socket = await openRaw(api);
    const [connection] = api.connections();
    const received: Buffer[] = [];
    socket.on('data', (chunk: Buffer) => void received.push(chunk));
    const url = `${api.managementUrl}/@connections/${connection?.connectionId}`;
    await fetch(url, { method: 'POST', body: 'x'.repeat(40 * KIB) });
    while (Buffer.concat(received).length < 40 * KIB + 8) await once(socket, 'data');
    const bytes = Buffer.concat(received);
    expect([bytes[0], bytes[1], bytes.readUInt16BE(2)]).toEqual([TEXT, 126, 32 * KIB]);
    const second = bytes.subarray(4 + 32 * KIB);
    expect([second[0], second[1], second.readUInt16BE(2)]).toEqual([0x80, 126, 8 * KIB]);
  });
});

describe('throttling of messages (aws-facts 1.4, 1.8)', () => {
  it('answers a frame that says Too Many Requests (text uncertain), invokes nothing, keeps the socket', async () => {
    const route = new RecordingFunction<AnyEvent>('route');
    const { api, clock } = await startApi({
      routes: [{ routeKey: '$default', function: route }],
      settings: { throttling: { rateLimit: 2, burstLimit: 1 } },
    });
    const client = await open(api.url);
    client.send('one');
    await route.event();
    client.send('two');
    expect(await nextText(client)).toMatch(/^\{"message": "Too Many Requests", "connectionId":"/);
    clock.advance(500);
    client.send('three');
    expect((await route.event(2)).body).toBe('three');
  });
});
