import { bytesOf } from '../../protocol/size.ts';
import { RefusedError } from '../errors.ts';
import type { Broker } from '../ports.ts';

/** The most that IoT Core takes in one message, in bytes (AWS IoT Core quotas, "Publish message size"). */
const MAXIMUM_MESSAGE_BYTES = 131_072;

/** `Broker` in memory. Subscribers are those of one job; an empty text is what `clear` tells them. */
export class MemoryBroker implements Broker {
  readonly #retained = new Map<string, string>();
  readonly #subscribers = new Map<string, Set<(frame: string) => void>>();
  readonly #failures: Error[] = [];

  /** Calls `receive` with the retained message, if there is one, and with every message from now on. */
  subscribe(job: string, receive: (frame: string) => void): void {
    const subscribers = this.#subscribers.get(job) ?? new Set();
    this.#subscribers.set(job, subscribers.add(receive));
    const retained = this.#retained.get(job);
    if (retained !== undefined) receive(retained);
  }

  /** The retained message of a job. */
  retainedOf(job: string): string | undefined {
    return this.#retained.get(job);
  }

  /** Makes the next calls fail with these errors, one each. */
  failNext(...errors: readonly Error[]): void {
    this.#failures.push(...errors);
  }

  async publish(job: string, frame: string, { retain }: { readonly retain: boolean }): Promise<void> {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    if (bytesOf(frame) > MAXIMUM_MESSAGE_BYTES)
      throw new RefusedError('IoT Core', 'the message is too large');
    if (retain) this.#retained.set(job, frame);
    this.#tell(job, frame);
  }

  async clear(job: string): Promise<void> {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    this.#retained.delete(job);
    this.#tell(job, '');
  }

  #tell(job: string, frame: string): void {
    for (const receive of this.#subscribers.get(job) ?? []) receive(frame);
  }
}
