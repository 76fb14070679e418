import type { Queue } from '../ports.ts';

/** The longest delay of a message, in seconds (SQS, `DelaySeconds`). */
const MAXIMUM_DELAY_SECONDS = 900;

/** A message that waits, and the delay that it was sent with. */
export interface QueuedMessage<Message> {
  readonly message: Message;
  readonly delaySeconds: number;
}

/** `Queue` in memory: what was sent waits until it is taken. */
export class MemoryQueue<Message> implements Queue<Message> {
  #waiting: QueuedMessage<Message>[] = [];
  #failures: Error[] = [];

  /** What waits, oldest first. */
  get waiting(): readonly QueuedMessage<Message>[] {
    return this.#waiting;
  }

  /** Takes everything that waits, oldest first. */
  take(): readonly QueuedMessage<Message>[] {
    const taken = this.#waiting;
    this.#waiting = [];
    return taken;
  }

  /** Makes the next sends fail with these errors, one each; nothing of them is queued. */
  failNext(...errors: readonly Error[]): void {
    this.#failures.push(...errors);
  }

  async send(messages: readonly Message[], options: { readonly delaySeconds?: number } = {}): Promise<void> {
    const failure = this.#failures.shift();
    if (failure !== undefined) throw failure;
    const delaySeconds = Math.min(MAXIMUM_DELAY_SECONDS, Math.max(0, Math.ceil(options.delaySeconds ?? 0)));
    for (const message of messages) {
      // Through JSON, as over the wire: what the queue cannot carry must not work here either.
      const copy: Message = JSON.parse(JSON.stringify(message));
      this.#waiting.push({ message: copy, delaySeconds });
    }
  }
}
