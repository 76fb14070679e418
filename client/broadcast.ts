import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import type { Head } from '../protocol/head.ts';
import type { Broadcast, Watch } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';
import { BroadcastUnavailableError, BrokerError } from './broadcast-errors.ts';
import type { ProblemError } from './errors.ts';
import {
  connectPacket,
  createPacketReader,
  decode,
  disconnectPacket,
  MqttError,
  type MqttPacket,
  pingPacket,
  pubackPacket,
  REFUSED_SUBSCRIPTION,
  subscribePacket,
} from './mqtt-packets.ts';
import type { SocketLike } from './platform.ts';
import type { Setup } from './timings.ts';

/**
 * The largest silence that a broker takes for none, in seconds, before it adds the half: longer than a page in the
 * background takes to its next ping (browsers run timers of such pages once a minute). AWS IoT Core takes 30 to 1200
 * (https://docs.aws.amazon.com/iot/latest/developerguide/mqtt.html).
 */
const KEEP_ALIVE_SECONDS = 120;

/** After how many heartbeats in which nothing was told the job is read: what cannot be told is found in minutes. */
const SILENT_HEARTBEATS = 10;

/** The largest number of a packet (2.3.1). */
const MAXIMUM_PACKET_ID = 65_535;

/** How the newest state is asked for where the broker retains none: the state after `known`, or nothing. */
export type StateReader = (
  job: string,
  known: Head | undefined,
  waitSeconds: number,
  signal: AbortSignal,
) => Promise<readonly (Job | undefined)[]>;

/**
 * Opens the broadcast of a ticket as a socket of the wire contract (docs/decisions/0024-via.md): what a line says is
 * told to an MQTT broker, and what that says comes as the server's frames. So the line, and all that is built on it,
 * is the same by either way. It serves the one job that the ticket is for.
 *
 * @param read absent where only tickets are to be had: then what the broker retains is the only snapshot
 * @param trouble hears why the broker takes no connection, and of reads that failed
 * @throws BroadcastUnavailableError where the stack does not broadcast
 */
export function open(
  setup: Setup,
  { broadcast, ticket }: Watch,
  read: StateReader | undefined,
  trouble: (error: unknown) => void,
): SocketLike {
  if (broadcast === undefined) {
    throw new BroadcastUnavailableError(
      'this stack does not broadcast: deploy it with -c broadcast=iot-core -c iotEndpoint=…, start it with ' +
        '--broadcast iot-core, or watch without via: "iot"',
    );
  }
  return new BroadcastSocket(new setup.WebSocket(broadcast.url, ['mqtt']), broadcast, ticket, read, trouble);
}

type SubscribeFrame = Extract<ClientFrame, { readonly type: 'subscribe'; readonly job: string }>;

interface Happened {
  readonly code: number;
  readonly data: unknown;
}

/** See `open`. A line has one listener for each thing that happens. */
class BroadcastSocket implements SocketLike {
  readonly #socket: SocketLike;
  readonly #broadcast: Broadcast;
  readonly #read: StateReader | undefined;
  readonly #trouble: (error: unknown) => void;
  readonly #listeners = new Map<string, (happened: Happened) => void>();
  readonly #end = new AbortController();
  /** By number of the packet, what is subscribed for whom; absent is a repetition, which nobody waits for. */
  readonly #asked = new Map<number, SubscribeFrame>();
  #packetId = 0;
  #open = false;
  /** What was asked for last. */
  #frame: SubscribeFrame | undefined;
  /** What was granted and waits for its first message, since nothing can be read. */
  #awaited: SubscribeFrame | undefined;
  /** That of which it was said that nothing is retained. */
  #missed: SubscribeFrame | undefined;
  /** Whether a state has come, retained or told. */
  #shown = false;
  /** The last state that was read, or known before. */
  #known: Head | undefined;
  /** How many heartbeats are over, the next included, since a change was told or the job was read. */
  #silent = 1;

  constructor(
    socket: SocketLike,
    broadcast: Broadcast,
    ticket: string,
    read: StateReader | undefined,
    trouble: (error: unknown) => void,
  ) {
    this.#socket = socket;
    this.#broadcast = broadcast;
    this.#read = read;
    this.#trouble = trouble;
    const readPackets = createPacketReader();
    socket.binaryType = 'arraybuffer';
    socket.addEventListener('open', () => {
      const { username, clientIdPrefix } = broadcast;
      const clientId = clientIdPrefix + newName();
      const keepAliveSeconds = KEEP_ALIVE_SECONDS;
      this.#put(connectPacket({ clientId, username, password: ticket, keepAliveSeconds }));
    });
    socket.addEventListener('message', ({ data }) => {
      try {
        if (typeof data === 'string') throw new MqttError('a frame of text');
        // Bytes, as `binaryType` asks for.
        for (const packet of readPackets(new Uint8Array(data as ArrayBuffer))) this.#heard(packet);
      } catch (error) {
        if (!(error instanceof MqttError)) throw error;
        // As a line hears of a frame that it cannot read. Where the next packet begins is not known any more.
        this.#happen('message', { data: undefined });
        this.#break();
      }
    });
    socket.addEventListener('close', () => this.#break());
    // `close` follows.
    socket.addEventListener('error', () => {});
  }

  addEventListener(type: string, listener: (happened: Happened) => void): void {
    this.#listeners.set(type, listener);
  }

  /** Takes a frame of the contract. */
  send(text: string): void {
    const frame = JSON.parse(text) as ClientFrame; // of a line, which makes no other
    // What is not wanted any more ends with the connection, since there is one job.
    if (frame.type === 'subscribe' && 'job' in frame) this.#subscribe(frame);
    if (frame.type !== 'ping') return;
    // What the broker retains is said again: what got lost on its way from the broker.
    if (this.#silent > 0) this.#subscribe();
    this.#silent += 1;
    this.#put(pingPacket());
    // And what never came to the broker: a heartbeat shows no more than that the broker is there.
    if (this.#silent > SILENT_HEARTBEATS) void this.#look();
  }

  close(): void {
    if (this.#end.signal.aborted) return;
    this.#end.abort();
    if (this.#open) this.#put(disconnectPacket(), true);
    this.#socket.close(1000);
  }

  #put(packet: Uint8Array, last = false): void {
    if (last || !this.#end.signal.aborted) this.#socket.send(packet);
  }

  #happen(type: string, happened: Partial<Happened> = {}): void {
    if (!this.#end.signal.aborted) this.#listeners.get(type)?.({ code: 1006, data: undefined, ...happened });
  }

  #say(frame: ServerFrame): void {
    this.#happen('message', { data: JSON.stringify(frame) });
  }

  #break(): void {
    this.#happen('close');
    this.close();
  }

  #subscribe(frame?: SubscribeFrame): void {
    this.#packetId = (this.#packetId % MAXIMUM_PACKET_ID) + 1;
    if (frame) {
      this.#asked.set(this.#packetId, frame);
      this.#frame = frame;
      this.#known = frame.since;
    }
    this.#put(subscribePacket(this.#packetId, this.#broadcast.topic));
  }

  #heard(packet: MqttPacket): void {
    if ((packet.type === 'connack') === this.#open) throw new MqttError(`${packet.type} at the wrong time`);
    if (packet.type === 'connack') this.#answered(packet.code);
    if (packet.type === 'publish') this.#published(packet);
    if (packet.type === 'suback') this.#granted(packet);
    if (packet.type === 'pingresp') this.#ponged();
  }

  #answered(code: number): void {
    if (code === 0) {
      this.#open = true;
      this.#happen('open');
      return;
    }
    // Whatever the code: 4 and 5 are also what a throttled authorizer is told by.
    if (!this.#end.signal.aborted)
      this.#trouble(new BrokerError(`the broker refused the connection: CONNACK ${code}`));
    this.#break();
  }

  #published({ topic, payload, id, retained }: MqttPacket & { readonly type: 'publish' }): void {
    if (!retained) this.#silent = 0;
    // An empty one says that nothing is retained any more.
    if (topic === this.#broadcast.topic && payload.length > 0) {
      this.#shown = true;
      this.#happen('message', { data: decode(payload) });
      if (this.#awaited) void this.#confirm(this.#awaited);
      this.#awaited = undefined;
    }
    if (id !== undefined) this.#put(pubackPacket(id));
  }

  #granted({ id, granted }: MqttPacket & { readonly type: 'suback' }): void {
    const frame = this.#asked.get(id);
    this.#asked.delete(id);
    if (!frame) return;
    if (!granted.includes(REFUSED_SUBSCRIPTION)) {
      if (this.#read || this.#shown) void this.#confirm(frame);
      else {
        // Without a state nothing is fresh. What is retained comes before the answer to this, or a while after it.
        this.#awaited = frame;
        this.#put(pingPacket());
      }
      return;
    }
    const error = {
      code: 'forbidden',
      title: 'the broker refused the subscription',
      retryable: false,
    } as const;
    this.#say({ type: 'error', id: frame.id, error });
  }

  #ponged(): void {
    this.#say({ type: 'pong' });
    const frame = this.#awaited;
    if (!frame || frame === this.#missed) return;
    this.#missed = frame;
    const error = {
      code: 'internal',
      title: 'the broker retains no state of the job, and without its token none can be read',
      retryable: true,
    } as const;
    // The line asks again, and says so where that stays in vain.
    this.#say({ type: 'error', id: frame.id, error });
  }

  /** Reads what was committed and perhaps never told. What cannot be read now is tried at the next heartbeat. */
  async #look(): Promise<void> {
    if (!this.#frame || !this.#read) return;
    this.#silent = 1;
    const { signal } = this.#end;
    try {
      const [state] = await this.#read(this.#frame.job, this.#known, 0, signal);
      if (!state) return;
      this.#known = state;
      this.#say({ type: 'job', job: state });
    } catch (error) {
      if (signal.aborted) return;
      this.#silent = SILENT_HEARTBEATS;
      this.#trouble(error);
      // As when it connects, where the refusal is told.
      if (Object(error).retryable === false) this.#break();
    }
  }

  /**
   * From the broker's answer on every change comes; what was committed before it is read now. So nothing is missed,
   * whether a state is retained, lags or was cleared.
   */
  async #confirm({ id, job, since }: SubscribeFrame): Promise<void> {
    try {
      const [state] = (await this.#read?.(job, since, 0, this.#end.signal)) ?? [];
      this.#known = state ?? since;
      const { epoch, seq } = since ?? { epoch: '', seq: 0 };
      this.#say({ type: 'subscribed', id, ...(state ? { job: state } : { head: { job, epoch, seq } }) });
    } catch (error) {
      const { problem, retryAfterMs }: Partial<ProblemError> = Object(error);
      const { code, title, detail, retryable } = problem ?? {
        code: 'internal',
        title: `the state could not be read: ${String(error)}`,
        detail: undefined,
        retryable: true,
      };
      const refusal = {
        code,
        title,
        ...(detail && { detail }),
        retryable,
        ...(retryAfterMs && { retryAfterMs }),
      };
      this.#say({ type: 'error', id, error: refusal } as ServerFrame); // codes of HTTP are codes of problems, too
    }
  }
}

/** A name that no other connection has, in letters and digits (3.1.3.1). */
function newName(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(11));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
