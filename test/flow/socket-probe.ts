import { once } from 'node:events';
import { type ClientOptions, WebSocket } from 'ws';
import { parseServerFrame, type ServerFrame } from '../../protocol/frames.ts';
import type { Job } from '../../protocol/job.ts';

/** A hand tool's connection: keeps every frame, and waits for those that a test asks for. */
export class SocketProbe {
  readonly frames: ServerFrame[] = [];
  readonly raw: string[] = [];
  readonly #socket: WebSocket;
  readonly #listeners = new Set<() => void>();
  /** The close code, once the connection is closed. */
  closed: number | undefined;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data) => {
      const text = String(data);
      this.raw.push(text);
      this.frames.push(parseServerFrame(text));
      this.#tell();
    });
    socket.on('close', (code) => {
      this.closed = code;
      this.#tell();
    });
  }

  /** Connects, or rejects with the status of a refused handshake in its message. */
  static async connect(
    url: string,
    protocols: readonly string[] = [],
    options: ClientOptions = {},
  ): Promise<SocketProbe> {
    const socket = new WebSocket(url, [...protocols], options);
    const probe = new SocketProbe(socket);
    await once(socket, 'open');
    return probe;
  }

  get subprotocol(): string {
    return this.#socket.protocol;
  }

  send(frame: unknown): void {
    this.#socket.send(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  sendBinary(bytes: Uint8Array): void {
    this.#socket.send(bytes, { binary: true });
  }

  /** The first frame, of those come and those to come, that a predicate accepts. Rejects when the connection ends first. */
  async frame<Frame extends ServerFrame>(accepts: (frame: ServerFrame) => frame is Frame): Promise<Frame>;
  async frame(accepts: (frame: ServerFrame) => boolean): Promise<ServerFrame>;
  async frame(accepts: (frame: ServerFrame) => boolean): Promise<ServerFrame> {
    for (;;) {
      const found = this.frames.find(accepts);
      if (found !== undefined) return found;
      if (this.closed !== undefined) throw new Error(`closed with ${this.closed} before the frame came`);
      await this.#change();
    }
  }

  /** The close code. */
  async end(): Promise<number> {
    while (this.closed === undefined) await this.#change();
    return this.closed;
  }

  /** Every state of a job that came, in the order in which it came. */
  statesOf(job: string): readonly Job[] {
    return this.frames.flatMap((frame) => ('job' in frame && frame.job.id === job ? [frame.job] : []));
  }

  async close(): Promise<void> {
    this.#socket.close();
    await this.end();
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      const listener = () => {
        this.#listeners.delete(listener);
        resolve();
      };
      this.#listeners.add(listener);
    });
  }
}
