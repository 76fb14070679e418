import { FrameError } from '../protocol/frame-error.ts';
import type {
  ByeFrame,
  PingFrame,
  ServerFrame,
  SubscribeFrame,
  UnsubscribeFrame,
} from '../protocol/frames.ts';
import type { Watch } from '../protocol/http.ts';
import { readServerFrame } from '../protocol/light-reader.ts';
import type { Timer } from './clock.ts';
import type { Platform, SocketLike } from './platform.ts';
import type { Target } from './subscription.ts';
import type { Timings } from './timings.ts';

/** Why a session ended: the server said `bye`, the socket closed, or the server did not answer in time. */
export type SessionEnd =
  | { readonly kind: 'bye'; readonly bye: ByeFrame }
  | { readonly kind: 'closed'; readonly code: number }
  | { readonly kind: 'silent' };

/** A `subscribe` frame but for its id. */
export type SubscribeRequest =
  | Omit<SubscribeFrame & { job: string }, 'id'>
  | Omit<SubscribeFrame & { topic: string }, 'id'>;

/** Whom a session tells. Nothing follows `ended`, which comes exactly once unless `close()` was called. */
export interface SessionListener {
  opened(): void;
  /** Every frame of a known type but `bye`. */
  received(frame: ServerFrame): void;
  /** The first malformed frame of the session: a fault of the server that somebody should hear of, once. */
  malformed(error: FrameError): void;
  /** `doubtful` has changed. */
  doubted(): void;
  ended(end: SessionEnd): void;
  /** What the client has, for the next ping. */
  heads(): Record<string, number>;
}

/**
 * One WebSocket from its opening to its end: frames in and out, the heartbeat, and the limit on answers. It knows
 * nothing of reconnecting: a connection holds two at once while it rotates them.
 *
 * A frame that cannot be read is reported once and ignored, and the connection stands: every frame carries a
 * whole state, so the next frame, or the heads of the next ping, make good what it said. A frame of an unknown
 * type is ignored in silence: a server may say more than this client knows.
 */
export class SocketSession {
  readonly #platform: Platform;
  readonly #timings: Timings;
  readonly #listener: SessionListener;
  readonly #socket: SocketLike;
  readonly #awaited = new Map<string, Timer>();
  #pingTimer: Timer | undefined;
  #pingId: string | undefined;
  #requests = 0;
  #lastHeardAt = 0;
  #open = false;
  #over = false;
  #doubtful = false;
  #malformedReported = false;

  /** @throws SyntaxError, as `new WebSocket` does, when the URL or a subprotocol cannot be one. */
  constructor(platform: Platform, timings: Timings, watch: Watch, listener: SessionListener) {
    this.#platform = platform;
    this.#timings = timings;
    this.#listener = listener;
    this.#socket = new platform.WebSocket(watch.url, [...watch.protocols]);
    this.#socket.addEventListener('open', () => this.#opened());
    this.#socket.addEventListener('message', (event) => this.#heard(event.data));
    this.#socket.addEventListener('close', (event) => this.#end({ kind: 'closed', code: event.code }));
    // `close` follows each `error` and says more; without a listener `ws` would throw.
    this.#socket.addEventListener('error', () => {});
  }

  /** Whether frames may be sent. */
  get open(): boolean {
    return this.#open && !this.#over;
  }

  /** Whether the open socket has been silent for longer than a live one may be. */
  get doubtful(): boolean {
    return this.#doubtful;
  }

  /**
   * Sends a request and returns its id, which the answer echoes. No answer within `answerMs` ends the session as
   * `silent`.
   */
  request(frame: SubscribeRequest): string {
    const id = this.#nextId();
    this.#send({ ...frame, id });
    this.#await(id, this.#timings.answerMs);
    return id;
  }

  /** Stops hearing of a target; nobody needs the answer. */
  unsubscribe(target: Target): void {
    this.#send({ type: 'unsubscribe', id: this.#nextId(), ...target });
  }

  /** Pings now, with less patience than usual: somebody has just begun to look. */
  check(): void {
    if (this.open) this.#ping(this.#timings.wakeAnswerMs);
  }

  /** Closes without a word to the listener. */
  close(): void {
    if (this.#over) return;
    this.#finish();
    this.#socket.close(1000);
  }

  #opened(): void {
    if (this.#over) return;
    this.#open = true;
    this.#lastHeardAt = this.#platform.clock.now();
    this.#schedulePing();
    this.#listener.opened();
  }

  #heard(data: unknown): void {
    if (this.#over) return;
    this.#lastHeardAt = this.#platform.clock.now();
    const frame = this.#read(data);
    this.#setDoubtful(false);
    if (frame === undefined) return;
    if ('id' in frame && frame.id !== undefined) this.#answered(frame.id);
    if (frame.type === 'bye') {
      this.#end({ kind: 'bye', bye: frame });
      this.#socket.close(1000);
      return;
    }
    this.#listener.received(frame);
  }

  #read(data: unknown): ServerFrame | undefined {
    try {
      return readServerFrame(data);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      if (!this.#malformedReported) {
        this.#malformedReported = true;
        this.#listener.malformed(error);
      }
      return undefined;
    }
  }

  #schedulePing(): void {
    this.#pingTimer = this.#platform.clock.schedule(this.#timings.pingMs, () => {
      this.#ping(this.#timings.answerMs);
    });
  }

  #ping(answerMs: number): void {
    this.#pingTimer?.cancel();
    const silentMs = this.#platform.clock.now() - this.#lastHeardAt;
    // Timers stand still while a machine sleeps: the first one after it must not leave the light on `live`.
    if (silentMs > this.#timings.pingMs + this.#timings.answerMs) this.#setDoubtful(true);
    if (this.#pingId !== undefined) {
      // One ping at a time, but the patience may shrink.
      this.#awaited.get(this.#pingId)?.cancel();
      this.#await(this.#pingId, answerMs);
      return;
    }
    const id = this.#nextId();
    this.#pingId = id;
    this.#send({ type: 'ping', id, heads: this.#listener.heads() });
    this.#await(id, answerMs);
  }

  #await(id: string, answerMs: number): void {
    const timer = this.#platform.clock.schedule(answerMs, () => {
      this.#end({ kind: 'silent' });
      this.#socket.close(1000);
    });
    this.#awaited.set(id, timer);
  }

  #answered(id: string): void {
    this.#awaited.get(id)?.cancel();
    this.#awaited.delete(id);
    if (id !== this.#pingId) return;
    this.#pingId = undefined;
    this.#schedulePing();
  }

  #setDoubtful(doubtful: boolean): void {
    if (doubtful === this.#doubtful) return;
    this.#doubtful = doubtful;
    this.#listener.doubted();
  }

  #nextId(): string {
    this.#requests += 1;
    return String(this.#requests);
  }

  #send(frame: SubscribeFrame | UnsubscribeFrame | PingFrame): void {
    this.#socket.send(JSON.stringify(frame));
  }

  #end(end: SessionEnd): void {
    if (this.#over) return;
    this.#finish();
    this.#listener.ended(end);
  }

  #finish(): void {
    this.#over = true;
    this.#pingTimer?.cancel();
    for (const timer of this.#awaited.values()) timer.cancel();
    this.#awaited.clear();
  }
}
