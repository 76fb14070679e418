import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { Aedes } from 'aedes';
import { createWebSocketStream, WebSocketServer } from 'ws';
import type { Broadcast } from '../../protocol/http.ts';

/** What the user name says of the authorizer. */
const USERNAME = 'jobwire?x-amz-customauthorizer-name=tickets';

/**
 * An MQTT broker that nobody here wrote, behind a real WebSocket: it takes tickets for passwords, each once, and lets
 * whoever has one subscribe to its job's topic alone. A test cuts it, and lets it refuse, lose and hold back.
 */
export class JobBroker implements AsyncDisposable {
  readonly #aedes: Aedes;
  readonly #server: WebSocketServer;
  readonly #tickets = new Map<string, string>();
  /** While true no WebSocket is accepted. */
  blocked = false;
  /** While true no message reaches who is subscribed; the newest is retained all the same. */
  deaf = false;
  /** How many messages were lost so. */
  lost = 0;
  /** While set, what CONNACK says. */
  refusal: number | undefined;
  /** While true SUBACK says no. */
  forbidden = false;
  /** How many connections were ever made. */
  connections = 0;
  /** The most that were open at once. */
  mostOpen = 0;
  /** Names of the clients so far. */
  readonly clientIds: string[] = [];
  /** Packets of clients, by their names in the specification. */
  readonly heard: string[] = [];

  private constructor(aedes: Aedes, server: WebSocketServer) {
    this.#aedes = aedes;
    this.#server = server;
    server.on('connection', (socket, request) => {
      this.connections += 1;
      this.mostOpen = Math.max(this.mostOpen, this.open);
      const stream = createWebSocketStream(socket);
      stream.on('error', () => {}); // a connection that was cut
      aedes.handle(stream, request);
    });
    aedes.on('ping', () => this.heard.push('PINGREQ'));
    aedes.on('ack', () => this.heard.push('PUBACK'));
    aedes.on('subscribe', () => this.heard.push('SUBSCRIBE'));
  }

  /** Starts on a free port. */
  static async start(): Promise<JobBroker> {
    const rules: { broker?: JobBroker } = {};
    const allowed = new WeakMap<object, string>();
    const aedes = await Aedes.createBroker({
      authenticate: (client, username, password, done) => {
        const broker = rules.broker;
        const ticket = String(password);
        const topic = broker?.take(ticket);
        broker?.clientIds.push(client.id);
        const isGranted = username === USERNAME && topic === `jobwire/jobs/${client.id.split('-')[0]}`;
        const code = broker?.refusal ?? (isGranted ? 0 : 5);
        if (topic !== undefined) allowed.set(client, topic);
        if (code === 0) done(null, true);
        else done(Object.assign(new Error(`CONNACK ${code}`), { returnCode: code }), false);
      },
      authorizeSubscribe: (client, subscription, done) => {
        const isAllowed = allowed.get(client) === subscription.topic && !rules.broker?.forbidden;
        done(null, isAllowed ? subscription : null);
      },
      authorizeForward: (_client, packet) => {
        if (!rules.broker?.deaf) return packet;
        rules.broker.lost += 1;
        return null;
      },
    });
    const server = new WebSocketServer({
      host: '127.0.0.1',
      port: 0,
      path: '/mqtt',
      handleProtocols: (protocols) => (protocols.has('mqtt') ? 'mqtt' : false),
      verifyClient: () => rules.broker?.blocked !== true,
    });
    await once(server, 'listening');
    rules.broker = new JobBroker(aedes, server);
    return rules.broker;
  }

  /** How many connections are open. */
  get open(): number {
    return this.#server.clients.size;
  }

  /** What a ticket's answer says of the broadcast of a job; the ticket is good for one connect. */
  grant(ticket: string, job: string): Broadcast {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    const topic = `jobwire/jobs/${job}`;
    this.#tickets.set(ticket, topic);
    const clientIdPrefix = `${job}-`;
    return { url: `ws://127.0.0.1:${port}/mqtt`, username: USERNAME, clientIdPrefix, topic };
  }

  /** The topic that a ticket is for; the ticket is used up then. */
  take(ticket: string): string | undefined {
    const topic = this.#tickets.get(ticket);
    this.#tickets.delete(ticket);
    return topic;
  }

  /** Publishes a message, retained; '' clears what is retained. */
  publish(job: string, text: string): void {
    const payload = Buffer.from(text);
    const topic = `jobwire/jobs/${job}`;
    this.#aedes.publish({ cmd: 'publish', topic, payload, qos: 1, retain: true, dup: false }, () => {});
  }

  /** Sends bytes to every client, as no broker would. */
  spoil(bytes: Uint8Array | string): void {
    for (const socket of this.#server.clients) socket.send(bytes);
  }

  /** Says nothing more over the connections that are open, and reads nothing. */
  hold(): void {
    for (const socket of this.#server.clients) socket.pause();
  }

  /** Cuts every connection. */
  cut(): void {
    for (const socket of this.#server.clients) socket.terminate();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => this.#aedes.close(resolve));
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
