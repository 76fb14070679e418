import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { RecordingFunction } from './recording-function.ts';
import { closed, frame, nextText, open, openRaw, startApi } from './websocket-fixture.ts';

const MINUTE = 60_000;

describe('how connections end (aws-facts 1.2, 1.8)', () => {
  it('tells 1005 "Client-side close frame status not set" for a close frame without a status', async () => {
    const { api, disconnect } = await startApi({});
    const client = await open(api.url);
    client.close();
    expect((await disconnect.event()).requestContext).toMatchObject({
      disconnectStatusCode: 1005,
      disconnectReason: 'Client-side close frame status not set',
    });
  });

  it('tells 1001 with an empty reason when a browser tab is closed', async () => {
    const { api, disconnect } = await startApi({});
    const socket = await openRaw(api);
    socket.write(frame(0x8, Buffer.from([0x03, 0xe9])));
    expect((await disconnect.event()).requestContext).toMatchObject({
      disconnectStatusCode: 1001,
      disconnectReason: '',
    });
  });

  it('tells 1006 when TCP dies without a close frame', async () => {
    const { api, disconnect } = await startApi({});
    const client = await open(api.url);
    client.terminate();
    expect((await disconnect.event()).requestContext).toMatchObject({ disconnectStatusCode: 1006 });
  });

  it('tells 1006 when the client resets TCP, and goes on serving', async () => {
    const { api, disconnect } = await startApi({});
    (await openRaw(api)).resetAndDestroy();
    expect((await disconnect.event()).requestContext).toMatchObject({ disconnectStatusCode: 1006 });
    await open(api.url);
  });

  it('closes an idle connection with 1001 "Going away" after ten minutes, not a moment before', async () => {
    const { api, clock, disconnect } = await startApi({});
    const client = await open(api.url);
    clock.advance(10 * MINUTE - 1);
    expect(api.connections()).toHaveLength(1);
    const end = closed(client);
    clock.advance(1);
    expect(await end).toEqual({ code: 1001, reason: 'Going away' });
    expect((await disconnect.event()).requestContext).toMatchObject({
      disconnectStatusCode: 1001,
      disconnectReason: 'Going away',
    });
  });

  it('counts ten minutes anew from a message of the client', async () => {
    const route = new RecordingFunction('route');
    const { api, clock } = await startApi({ routes: [{ routeKey: '$default', function: route }] });
    const client = await open(api.url);
    clock.advance(9 * MINUTE);
    client.send('still here');
    await route.event();
    clock.advance(9 * MINUTE);
    expect(api.connections()).toHaveLength(1);
  });

  it('counts ten minutes anew from a message to the client', async () => {
    const { api, clock } = await startApi({});
    const client = await open(api.url);
    clock.advance(9 * MINUTE);
    const [connection] = api.connections();
    const received = nextText(client);
    await fetch(`${api.managementUrl}/@connections/${connection?.connectionId}`, {
      method: 'POST',
      body: 'x',
    });
    await received;
    clock.advance(9 * MINUTE);
    expect(api.connections()).toHaveLength(1);
  });

  it('closes a busy connection with 1001 "Going away" after two hours', async () => {
    const route = new RecordingFunction('route');
    const { api, clock, disconnect } = await startApi({
      routes: [{ routeKey: '$default', function: route }],
    });
    const client = await open(api.url);
    for (let message = 1; message <= 13; message += 1) {
      clock.advance(9 * MINUTE);
      client.send('busy');
      await route.event(message);
    }
    const end = closed(client);
    clock.advance(3 * MINUTE);
    expect(await end).toEqual({ code: 1001, reason: 'Going away' });
    expect((await disconnect.event()).requestContext.disconnectReason).toBe('Going away');
  });

  it('ignores what $disconnect returns or throws', async () => {
    const failing = new RecordingFunction('failing', () => {
      throw new Error('broken');
    });
    const { api, log } = await startApi({
      settings: { routes: [{ routeKey: '$disconnect', function: failing }] },
    });
    (await open(api.url)).close();
    await failing.event();
    const again = await open(api.url);
    expect(again.readyState).toBe(again.OPEN);
    expect(log.join('\n')).toContain('failing failed: Error: broken');
  });

  it('sends no protocol pings', async () => {
    const { api, clock } = await startApi({});
    const client = await open(api.url);
    let pings = 0;
    client.on('ping', () => {
      pings += 1;
    });
    const end = closed(client);
    clock.advance(10 * MINUTE);
    await end;
    expect(pings).toBe(0);
  });

  it('answers a ping of the client with a pong', async () => {
    const { api } = await startApi({});
    const client = await open(api.url);
    client.ping('are you there');
    const [data] = (await once(client, 'pong')) as [Buffer];
    expect(data.toString()).toBe('are you there');
  });

  it('drops every connection without a close frame by disconnectAll, and goes on serving', async () => {
    const { api, disconnect } = await startApi({});
    const clients = [await open(api.url), await open(api.url)];
    const ends = clients.map(closed);
    api.disconnectAll();
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual([1006, 1006]);
    await disconnect.event(2);
    expect(api.connections()).toHaveLength(0);
    await open(api.url);
    expect(api.connections()).toHaveLength(1);
  });

  it('closes gracefully: clients see 1001, $disconnect has run, no timer remains', async () => {
    const { api, clock, disconnect } = await startApi({});
    const client = await open(api.url);
    const end = closed(client);
    await api.close();
    expect(await end).toEqual({ code: 1001, reason: 'Going away' });
    expect(disconnect.events).toHaveLength(1);
    expect(clock.pending).toBe(0);
  });
});
