import { DeleteMessageBatchCommand, ReceiveMessageCommand, type SQSClient } from '@aws-sdk/client-sqs';
import { REGION } from '../account.ts';
import { type Clock, systemClock } from '../clock.ts';
import type { InvokableFunction } from '../functions/invocation.ts';
import { readBatchItemFailures } from './batch-item-failures.ts';
import { compileFilters, type EventMatcher } from './pattern.ts';
import { pause } from './pause.ts';
import { filterView, type QueueEventRecord, toQueueRecord } from './queue-event.ts';
import { wasRefused } from './throttling.ts';

/** SQS gives and deletes at most this many messages a request. */
const REQUEST_MESSAGES = 10;
/** Longest long poll of SQS, in seconds. */
const LONG_POLL_SECONDS = 20;
/** Lambda starts with five concurrent batches ("Configuring scaling behavior for SQS event source mappings"). */
const POLLERS = 5;
/** So many long polls suffice for a laptop, whatever `MaximumConcurrency` allows. */
const POLLER_LIMIT = 10;
/** After a failed or throttled call, in milliseconds. */
const RETRY_MS = 1_000;

/** `AWS::Lambda::EventSourceMapping` of a standard queue. */
export interface QueueEventSourceMappingSettings {
  readonly client: SQSClient;
  readonly queueUrl: string;
  readonly queueArn: string;
  readonly target: InvokableFunction;
  /** 10 by default; more needs a batching window. */
  readonly batchSize?: number;
  /** 0 by default. */
  readonly maximumBatchingWindowInSeconds?: number;
  /** `ScalingConfig.MaximumConcurrency`. */
  readonly maximumConcurrency?: number;
  /** `FilterCriteria.Filters[].Pattern`; messages that do not match are deleted. */
  readonly filterPatterns?: readonly string[];
  readonly reportBatchItemFailures?: boolean;
  readonly clock?: Clock;
  readonly log: (line: string) => void;
}

/**
 * Feeds the messages of a queue to a function, as Lambda's event source mapping does. What the function did
 * not fail is deleted; the rest stays invisible until the queue's visibility time-out is over, and goes to
 * its dead-letter queue when the queue says so. Several long polls wait at once, so that a message is handed
 * over when it arrives.
 */
export class QueueEventSourceMapping {
  readonly #settings: QueueEventSourceMappingSettings;
  readonly #clock: Clock;
  readonly #matches: EventMatcher;
  readonly #closing = new AbortController();
  readonly #pollers: readonly Promise<void>[];
  /** Deletions under way: the next batch does not wait for them, and closing does. */
  readonly #deletions = new Set<Promise<void>>();
  #failing = false;

  /** Starts to poll. Throws `InvalidPatternError`. */
  constructor(settings: QueueEventSourceMappingSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
    this.#matches = compileFilters(settings.filterPatterns ?? []);
    const count = Math.min(settings.maximumConcurrency ?? POLLERS, POLLER_LIMIT);
    this.#pollers = Array.from({ length: count }, () => this.#poll());
  }

  /** Stops to poll and waits for the batches under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#pollers);
    await Promise.all(this.#deletions);
  }

  async #poll(): Promise<void> {
    const { signal } = this.#closing;
    while (!signal.aborted) {
      try {
        const batch = await this.#collect();
        this.#failing = false;
        if (batch.length > 0) await this.#deliver(batch);
      } catch (error) {
        if (signal.aborted) return;
        const { queueArn, log } = this.#settings;
        if (!this.#failing) log(`Cannot read messages of ${queueArn}, trying again: ${String(error)}`);
        this.#failing = true;
        await pause(this.#clock, RETRY_MS, signal);
      }
    }
  }

  /** One batch: what one receive gives, or with a window what comes until it is full or over. */
  async #collect(): Promise<QueueEventRecord[]> {
    const { batchSize = REQUEST_MESSAGES, maximumBatchingWindowInSeconds = 0 } = this.#settings;
    const batch = await this.#receive(batchSize, LONG_POLL_SECONDS);
    if (batch.length === 0) return batch;
    const windowEnd = this.#clock.now() + maximumBatchingWindowInSeconds * 1000;
    while (batch.length < batchSize && !this.#closing.signal.aborted) {
      const secondsLeft = Math.floor((windowEnd - this.#clock.now()) / 1000);
      if (secondsLeft < 1) break;
      batch.push(
        ...(await this.#receive(batchSize - batch.length, Math.min(secondsLeft, LONG_POLL_SECONDS))),
      );
    }
    return batch;
  }

  async #receive(count: number, waitSeconds: number): Promise<QueueEventRecord[]> {
    const { client, queueUrl, queueArn } = this.#settings;
    const command = new ReceiveMessageCommand({
      QueueUrl: queueUrl,
      MaxNumberOfMessages: Math.min(count, REQUEST_MESSAGES),
      WaitTimeSeconds: waitSeconds,
      MessageSystemAttributeNames: ['All'],
      MessageAttributeNames: ['All'],
    });
    const { Messages = [] } = await client.send(command, { abortSignal: this.#closing.signal });
    const records = Messages.map((message) => toQueueRecord(message, { queueArn, region: REGION }));
    const complete = records.filter((record) => record !== undefined);
    const { wanted = [], unwanted = [] } = Object.groupBy(complete, (record) =>
      this.#matches(filterView(record)) ? 'wanted' : 'unwanted',
    );
    this.#startToDelete(unwanted);
    return wanted;
  }

  async #deliver(batch: readonly QueueEventRecord[]): Promise<void> {
    const outcome = await this.#settings.target.invoke({ Records: batch });
    if (outcome.kind === 'failed') {
      // All come again when they are visible again. A throttled function is left alone for a while.
      if (wasRefused(outcome)) await pause(this.#clock, RETRY_MS, this.#closing.signal);
      return;
    }
    this.#startToDelete(this.#succeeded(batch, outcome.payload));
  }

  #succeeded(batch: readonly QueueEventRecord[], payload: unknown): readonly QueueEventRecord[] {
    const { reportBatchItemFailures = false, target, log } = this.#settings;
    if (!reportBatchItemFailures) return batch;
    const verdict = readBatchItemFailures(payload, new Set(batch.map(({ messageId }) => messageId)));
    switch (verdict.kind) {
      case 'success':
        return batch;
      case 'malformed':
        log(`${target.name}: the batch response counts as a failure: ${verdict.reason}`);
        return [];
      case 'partial':
        return batch.filter(({ messageId }) => !verdict.failed.has(messageId));
    }
  }

  /** A message that could not be deleted comes again when it is visible again, as it would from SQS. */
  #startToDelete(records: readonly QueueEventRecord[]): void {
    const { queueArn, log } = this.#settings;
    const deletion = this.#delete(records)
      .catch((error: unknown) => log(`Cannot delete messages of ${queueArn}: ${String(error)}`))
      .finally(() => this.#deletions.delete(deletion));
    this.#deletions.add(deletion);
  }

  async #delete(records: readonly QueueEventRecord[]): Promise<void> {
    const { client, queueUrl, queueArn, log } = this.#settings;
    for (let start = 0; start < records.length; start += REQUEST_MESSAGES) {
      const Entries = records
        .slice(start, start + REQUEST_MESSAGES)
        .map(({ receiptHandle }, index) => ({ Id: String(index), ReceiptHandle: receiptHandle }));
      const { Failed = [] } = await client.send(
        new DeleteMessageBatchCommand({ QueueUrl: queueUrl, Entries }),
      );
      for (const { Code, Message } of Failed)
        log(`${queueArn}: a message was not deleted: ${Code} ${Message}`);
    }
  }
}
