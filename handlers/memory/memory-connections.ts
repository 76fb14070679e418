import { bytesOf } from '../../protocol/size.ts';
import { ConnectionGoneError, RefusedError } from '../errors.ts';
import type { Connections } from '../ports.ts';

/** The most that API Gateway takes in one post, in bytes (aws-facts 2: 131,072, else 413). */
const MAXIMUM_POST_BYTES = 131_072;

/** `Connections` in memory: what is open has been opened by `open`. */
export class MemoryConnections implements Connections {
  readonly #frames = new Map<string, string[]>();
  readonly #receivers = new Map<string, (frame: string) => void>();
  readonly #failures = new Map<string, Error[]>();
  readonly #open = new Set<string>();

  /** Opens a connection; `receive` is called with every frame that is posted to it. */
  open(connection: string, receive: (frame: string) => void = () => {}): void {
    this.#open.add(connection);
    this.#receivers.set(connection, receive);
  }

  /** Closes a connection, as its client does by going away. */
  close(connection: string): void {
    this.#open.delete(connection);
  }

  /** Whether a connection is open. */
  isOpen(connection: string): boolean {
    return this.#open.has(connection);
  }

  /** Every frame that has reached a connection, in order. */
  framesOf(connection: string): readonly string[] {
    return this.#frames.get(connection) ?? [];
  }

  /** Makes the next posts to a connection fail with these errors, one each. */
  failNext(connection: string, ...errors: readonly Error[]): void {
    this.#failures.set(connection, [...(this.#failures.get(connection) ?? []), ...errors]);
  }

  async post(connection: string, frame: string): Promise<void> {
    const failure = this.#failures.get(connection)?.shift();
    if (failure !== undefined) throw failure;
    if (!this.#open.has(connection)) throw new ConnectionGoneError(connection);
    if (bytesOf(frame) > MAXIMUM_POST_BYTES) throw new RefusedError('API Gateway', 'the frame is too large');
    this.#frames.set(connection, [...this.framesOf(connection), frame]);
    this.#receivers.get(connection)?.(frame);
  }
}
