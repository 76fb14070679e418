import type { WebSocket } from 'ws';
import type { Clock, Timer } from '../clock.ts';
import { IDLE_TIMEOUT_MS, MAXIMUM_CONNECTION_MS, MAXIMUM_FRAME_BYTES } from './limits.ts';
import type { ConnectionFacts } from './request-context.ts';

/** How a connection ended, as `$disconnect` hears of it. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
}

/**
 * One open connection: its socket, and the two limits that API Gateway puts on it. Messages in either
 * direction keep it from being idle; protocol pings do not (AWS documents neither; aws-facts 1.9).
 */
export class WebSocketConnection {
  readonly facts: ConnectionFacts;
  readonly #socket: WebSocket;
  readonly #clock: Clock;
  /** One for both limits, which looks for itself whether a message has come: nothing is renewed with each. */
  #timer: Timer;
  #lastActiveAt: number;
  #end: ConnectionEnd | undefined;

  /** Starts the ten minutes of idleness and the two hours of life. */
  constructor(facts: ConnectionFacts, socket: WebSocket, clock: Clock) {
    this.facts = facts;
    this.#socket = socket;
    this.#clock = clock;
    this.#lastActiveAt = clock.now();
    this.#timer = this.#scheduleEnd();
  }

  /** Milliseconds since the epoch: when the last message went either way. */
  get lastActiveAt(): number {
    return this.#lastActiveAt;
  }

  /** Whether a post can reach the client: false from the first close frame of either side on. */
  get isOpen(): boolean {
    return this.#end === undefined && this.#socket.readyState === this.#socket.OPEN;
  }

  /** How this side ended the connection; undefined if it did not (yet). */
  get end(): ConnectionEnd | undefined {
    return this.#end;
  }

  /** Bytes that wait for the client to read. */
  get bufferedBytes(): number {
    return this.#socket.bufferedAmount;
  }

  /** Notes a message of the client. */
  touch(): void {
    this.#lastActiveAt = this.#clock.now();
  }

  /**
   * Sends a text message, in frames of no more than 32 KB. Does not wait until the client has read it; does
   * nothing once the connection is closing.
   */
  send(text: string): void {
    if (!this.isOpen) return;
    this.touch();
    const bytes = Buffer.from(text);
    for (let offset = 0; offset === 0 || offset < bytes.length; offset += MAXIMUM_FRAME_BYTES) {
      const end = offset + MAXIMUM_FRAME_BYTES;
      this.#socket.send(bytes.subarray(offset, end), { binary: false, fin: end >= bytes.length });
    }
  }

  /** Begins the closing handshake, unless this side has begun one already. */
  close(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { code, reason };
    this.#socket.close(code, reason);
  }

  /** Notes an end that the socket brought about by itself, such as 1002 for a malformed frame. */
  noteEnd(end: ConnectionEnd): void {
    this.#end ??= end;
  }

  /** Drops the TCP connection without a word: the client sees 1006. */
  terminate(): void {
    this.#socket.terminate();
  }

  /** Forgets the timer; to be called once the socket is closed. */
  dispose(): void {
    this.#timer.cancel();
  }

  /** Milliseconds since the epoch: when the connection ends unless a message comes before. */
  #endsAt(): number {
    return Math.min(this.#lastActiveAt + IDLE_TIMEOUT_MS, this.facts.connectedAt + MAXIMUM_CONNECTION_MS);
  }

  /** Looks again whether the connection has ended when it would have if nothing had come. */
  #scheduleEnd(): Timer {
    return this.#clock.schedule(this.#endsAt() - this.#clock.now(), () => {
      if (this.#clock.now() >= this.#endsAt()) this.close(1001, 'Going away');
      else this.#timer = this.#scheduleEnd();
    });
  }
}
