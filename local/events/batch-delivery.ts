import type { Clock } from '../clock.ts';
import type { InvocationOutcome, InvokableFunction } from '../functions/invocation.ts';
import { readBatchItemFailures } from './batch-item-failures.ts';
import type { DiscardCondition, DiscardedBatch } from './discarded-batch.ts';
import { backOffMs, pause } from './pause.ts';
import type { StreamRecord } from './stream-record.ts';
import { wasRefused } from './throttling.ts';

/** How an event source mapping treats a batch that fails; named as in the template. */
export interface DeliverySettings {
  readonly target: InvokableFunction;
  readonly clock: Clock;
  /** `FunctionResponseTypes: [ReportBatchItemFailures]`. */
  readonly reportBatchItemFailures: boolean;
  readonly bisectBatchOnFunctionError: boolean;
  /** -1: without end. */
  readonly maximumRetryAttempts: number;
  /** -1: without limit. */
  readonly maximumRecordAgeInSeconds: number;
  /** Called once for every record that was delivered or discarded. */
  readonly onSettled: (record: StreamRecord) => void;
  /**
   * Called with what is given up; false when the mapping closed before anybody took it, so that it stays
   * unsettled and comes again after a restart. Must not reject.
   */
  readonly onDiscarded: (batch: DiscardedBatch) => Promise<boolean>;
  readonly log: (line: string) => void;
  /** Aborted when the mapping closes: what is not settled then stays unsettled. */
  readonly signal: AbortSignal;
}

interface Segment {
  readonly records: readonly StreamRecord[];
  /** Attempts after the first, as far as they count. */
  readonly retries: number;
  readonly lastCall?: { readonly requestId: string; readonly functionError: boolean };
}

/**
 * Delivers one batch of stream records until every record is settled (aws-facts 3.2 to 3.4): strictly in
 * order, so a batch that is retried for ever blocks what comes after it, as on AWS.
 *
 * With a partial response the lowest failed sequence number is the checkpoint: what is before it is settled,
 * it and everything after it is retried. With bisecting on, such a split, as the halving after a thrown
 * error, does not count as an attempt. A first record that is reported again and again is not separated from
 * those behind it (the AWS documentation splits "at the returned sequence number" only).
 */
export async function deliverBatch(
  records: readonly StreamRecord[],
  settings: DeliverySettings,
): Promise<void> {
  // The next segment is last.
  const segments: Segment[] = [{ records, retries: 0 }];
  let refusals = 0;
  for (let segment = segments.pop(); segment !== undefined; segment = segments.pop()) {
    if (settings.signal.aborted) return;
    const young = await discardAged(segment, settings);
    if (young.records.length === 0) continue;
    const outcome = await settings.target.invoke({ Records: young.records.map(({ event }) => event) });
    if (wasRefused(outcome)) {
      refusals += 1;
      segments.push(young);
      await pause(settings.clock, backOffMs(refusals), settings.signal);
      continue;
    }
    refusals = 0;
    const remaining = await settle(young, outcome, settings);
    segments.push(...remaining.toReversed());
  }
}

/** Settles what went well and what is given up; returns what is to be tried again, in order. */
async function settle(
  segment: Segment,
  outcome: InvocationOutcome,
  settings: DeliverySettings,
): Promise<readonly Segment[]> {
  const failure = findFailure(segment.records, outcome, settings);
  const delivered = failure === undefined ? segment.records : segment.records.slice(0, failure.index);
  delivered.forEach(settings.onSettled);
  if (failure === undefined) return [];
  const records = segment.records.slice(failure.index);
  const lastCall = { requestId: outcome.requestId, functionError: outcome.kind === 'failed' };
  const { retries } = segment;
  if (settings.bisectBatchOnFunctionError) {
    if (failure.index > 0) return [{ records, retries, lastCall }];
    if (!failure.partial && records.length > 1) {
      const middle = Math.ceil(records.length / 2);
      return [records.slice(0, middle), records.slice(middle)].map((half) => ({
        records: half,
        retries,
        lastCall,
      }));
    }
  }
  const { maximumRetryAttempts } = settings;
  if (maximumRetryAttempts >= 0 && retries >= maximumRetryAttempts) {
    await discard('RetryAttemptsExhausted', records, retries + 1, lastCall, settings);
    return [];
  }
  await pause(settings.clock, backOffMs(retries + 1), settings.signal);
  return [{ records, retries: retries + 1, lastCall }];
}

interface Failure {
  /** Index of the first record that is to be tried again. */
  readonly index: number;
  readonly partial: boolean;
}

function findFailure(
  records: readonly StreamRecord[],
  outcome: InvocationOutcome,
  settings: DeliverySettings,
): Failure | undefined {
  if (outcome.kind === 'failed') return { index: 0, partial: false };
  if (!settings.reportBatchItemFailures) return undefined;
  const known = new Set(records.map(({ sequenceNumber }) => sequenceNumber));
  const verdict = readBatchItemFailures(outcome.payload, known);
  switch (verdict.kind) {
    case 'success':
      return undefined;
    case 'malformed':
      settings.log(`${settings.target.name}: the batch response counts as a failure: ${verdict.reason}`);
      return { index: 0, partial: false };
    case 'partial':
      // A batch is in the order of its sequence numbers, so the first failed is the lowest.
      return {
        index: records.findIndex(({ sequenceNumber }) => verdict.failed.has(sequenceNumber)),
        partial: true,
      };
  }
}

/** A batch is in the order of arrival, so those that are too old are in front. */
async function discardAged(segment: Segment, settings: DeliverySettings): Promise<Segment> {
  if (settings.maximumRecordAgeInSeconds < 0) return segment;
  const oldest = settings.clock.now() - settings.maximumRecordAgeInSeconds * 1000;
  const index = segment.records.findIndex(({ arrivedAt }) => arrivedAt >= oldest);
  const aged = index < 0 ? segment.records : segment.records.slice(0, index);
  const invokeCount = segment.lastCall === undefined ? 0 : segment.retries + 1;
  await discard('RecordAgeExceeded', aged, invokeCount, segment.lastCall, settings);
  return { ...segment, records: segment.records.slice(aged.length) };
}

async function discard(
  condition: DiscardCondition,
  records: readonly StreamRecord[],
  invokeCount: number,
  lastCall: Segment['lastCall'],
  settings: DeliverySettings,
): Promise<void> {
  const [first, ...others] = records;
  if (first === undefined) return;
  const taken = await settings.onDiscarded({
    condition,
    records: [first, ...others],
    invokeCount,
    functionError: lastCall?.functionError ?? false,
    ...(lastCall !== undefined && { requestId: lastCall.requestId }),
  });
  if (taken) records.forEach(settings.onSettled);
}
