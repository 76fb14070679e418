import { WebSocket } from 'ws';
import { connectPacket, createPacketReader, pubackPacket, subscribePacket } from '../client/mqtt-packets.ts';
import { answerCalls } from './child-process.ts';

/** Where a broker is, and what it lets in. */
export interface BrokerAccess {
  /** `ws://127.0.0.1:<port>/mqtt`. */
  readonly url: string;
  readonly username: string;
  readonly clientIdPrefix: string;
  readonly topic: string;
}

/** Many watchers of one job in a process of their own: of the WebSocket API, or of a broker. */
export interface Watchers {
  /** Opens more sockets on the gateway. Settles when all of them are open. */
  openSockets(settings: { readonly url: string; readonly count: number }): Promise<void>;
  /** Opens more connections to a broker. Settles when all of them are subscribed. */
  openBroker(settings: BrokerAccess & { readonly count: number }): Promise<void>;
  /** Settles when every watcher has been told of a state with that `seq`; answers when, in milliseconds since the epoch. */
  told(seq: number): Promise<number>;
  /** Messages about that state. */
  toldOf(seq: number): number;
}

/** Handshakes under way at a time. */
const AT_ONCE = 64;

const SEQ = /"seq":(\d+)/;

let watchers = 0;
/** How many watchers have been told of which state. */
const told = new Map<number, number>();
let awaited: { readonly seq: number; readonly resolve: (at: number) => void } | undefined;

answerCalls<Watchers>({
  openSockets: ({ url, count }) => openAll(count, () => openSocket(url)),
  openBroker: ({ count, ...access }) => openAll(count, () => openBroker(access)),
  told(seq) {
    return new Promise((resolve) => {
      awaited = { seq, resolve };
      look(seq);
    });
  },
  toldOf: (seq) => told.get(seq) ?? 0,
});

async function openAll(count: number, open: () => Promise<void>): Promise<void> {
  let left = count;
  const openSome = async () => {
    while (left > 0) {
      left -= 1;
      await open();
      watchers += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, openSome));
}

function hear(text: string): void {
  const seq = Number(SEQ.exec(text)?.[1] ?? 0);
  told.set(seq, (told.get(seq) ?? 0) + 1);
  look(seq);
}

function look(seq: number): void {
  if (awaited?.seq !== seq || (told.get(seq) ?? 0) < watchers) return;
  awaited.resolve(performance.timeOrigin + performance.now());
  awaited = undefined;
}

function openSocket(url: string): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data) => hear(String(data)));
  return new Promise((resolve, reject) => {
    socket.once('open', () => resolve());
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The gateway closed a socket')));
  });
}

function openBroker({ url, username, clientIdPrefix, topic }: BrokerAccess): Promise<void> {
  const socket = new WebSocket(url, 'mqtt', { perMessageDeflate: false });
  const read = createPacketReader();
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    socket.once('close', () => reject(new Error('The broker closed a connection')));
    socket.once('open', () => {
      const clientId = `${clientIdPrefix}${process.pid}-${Math.random().toString(36).slice(2)}`;
      socket.send(connectPacket({ clientId, username, password: 'bench', keepAliveSeconds: 1_200 }));
    });
    socket.on('message', (data: Buffer) => {
      for (const packet of read(data)) {
        if (packet.type === 'connack') {
          if (packet.code !== 0) reject(new Error(`The broker answered a connect with ${packet.code}`));
          socket.send(subscribePacket(1, topic));
        } else if (packet.type === 'suback') {
          resolve();
        } else if (packet.type === 'publish') {
          if (packet.id !== undefined) socket.send(pubackPacket(packet.id));
          hear(new TextDecoder().decode(packet.payload));
        }
      }
    });
  });
}
