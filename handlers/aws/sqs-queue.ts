import { SendMessageBatchCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { bytesOf } from '../../protocol/size.ts';
import { RefusedError, UnavailableError } from '../errors.ts';
import type { Queue } from '../ports.ts';
import { repeatUntilDone } from './back-off.ts';
import { translateServiceError } from './service-error.ts';

/** The most messages of one SendMessageBatch (SQS API reference, SendMessageBatch). */
const MAXIMUM_BATCH = 10;

/**
 * The most bytes of one SendMessageBatch. SQS has taken 1 MiB since August 2025, but a queue keeps whatever
 * its MaximumMessageSize says; 256 KiB passes everywhere, and our messages are some hundred bytes.
 */
const MAXIMUM_BATCH_BYTES = 262_144;

/** Batches that are under way at a time: what a thousand watchers are owed is handed over in a tenth of a second. */
const CONCURRENT_BATCHES = 10;

/** The longest delay, in seconds (SQS API reference, `DelaySeconds`). */
const MAXIMUM_DELAY_SECONDS = 900;

interface Entry {
  readonly body: string;
  readonly bytes: number;
}

/** `Queue` on a standard SQS queue; messages are JSON. */
export class SqsQueue<Message> implements Queue<Message> {
  readonly #client: () => SQSClient;
  readonly #queueUrl: string;

  /** `client` may be made when the first message is sent: see `sqsClientAtFirstUse`. */
  constructor(settings: { readonly client: SQSClient | (() => SQSClient); readonly queueUrl: string }) {
    const { client } = settings;
    this.#client = typeof client === 'function' ? client : () => client;
    this.#queueUrl = settings.queueUrl;
  }

  async send(messages: readonly Message[], options: { readonly delaySeconds?: number } = {}): Promise<void> {
    const delaySeconds = Math.min(MAXIMUM_DELAY_SECONDS, Math.max(0, Math.ceil(options.delaySeconds ?? 0)));
    const entries = messages.map((message): Entry => {
      const body = toAscii(JSON.stringify(message));
      return { body, bytes: bytesOf(body) };
    });
    const batches = batchesOf(entries);
    while (batches.length > 0) {
      const sent = await Promise.allSettled(
        batches.splice(0, CONCURRENT_BATCHES).map((batch) => this.#sendAll(batch, delaySeconds)),
      );
      const failure = sent.find((result) => result.status === 'rejected');
      if (failure !== undefined) throw failure.reason;
    }
  }

  async #sendAll(batch: readonly Entry[], delaySeconds: number): Promise<void> {
    const left = await repeatUntilDone(batch, (rest) => this.#sendBatch(rest, delaySeconds));
    if (left.length > 0) throw new UnavailableError('SQS');
  }

  /** Answers the entries that were not sent and may be later. */
  async #sendBatch(entries: readonly Entry[], delaySeconds: number): Promise<readonly Entry[]> {
    const command = new SendMessageBatchCommand({
      QueueUrl: this.#queueUrl,
      Entries: entries.map(({ body }, index) => ({
        Id: String(index),
        MessageBody: body,
        DelaySeconds: delaySeconds,
      })),
    });
    const answer = await this.#client()
      .send(command)
      .catch((error: unknown) => {
        throw translateServiceError('SQS', error);
      });
    const failed = answer.Failed ?? [];
    const fault = failed.find(({ SenderFault }) => SenderFault === true);
    if (fault !== undefined) throw new RefusedError('SQS', `${fault.Code}: ${fault.Message ?? ''}`);
    return failed.flatMap(({ Id }) => entries[Number(Id)] ?? []);
  }
}

/** SQS refuses some characters that JSON may hold (U+FFFE, U+FFFF); escaped, all of them pass. */
function toAscii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function batchesOf(entries: readonly Entry[]): (readonly Entry[])[] {
  const batches: Entry[][] = [];
  let bytes = 0;
  for (const entry of entries) {
    const batch = batches.at(-1);
    if (batch === undefined || batch.length === MAXIMUM_BATCH || bytes + entry.bytes > MAXIMUM_BATCH_BYTES) {
      batches.push([entry]);
      bytes = entry.bytes;
    } else {
      batch.push(entry);
      bytes += entry.bytes;
    }
  }
  return batches;
}
