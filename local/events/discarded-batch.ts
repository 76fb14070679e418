import { randomUUID } from 'node:crypto';
import type { StreamRecord } from './stream-record.ts';

/** Why an event source mapping gave up on records. The second name is not documented (aws-facts 3.5). */
export type DiscardCondition = 'RetryAttemptsExhausted' | 'RecordAgeExceeded';

/** Records that an event source mapping gave up on. */
export interface DiscardedBatch {
  readonly condition: DiscardCondition;
  /** At least one, all of one shard, oldest first. */
  readonly records: readonly [StreamRecord, ...StreamRecord[]];
  /** How often the function was called with them. */
  readonly invokeCount: number;
  /** Request id of the last call; absent when there was none. */
  readonly requestId?: string;
  /** Whether the last call ended in a function error, rather than in a partial batch response. */
  readonly functionError: boolean;
}

/** The message for an on-failure destination: where the records are, not the records (aws-facts 3.5). */
export function destinationPayload(
  batch: DiscardedBatch,
  mapping: { readonly functionArn: string; readonly streamArn: string },
  now: number,
): Record<string, unknown> {
  const [first] = batch.records;
  const last = batch.records.at(-1) ?? first;
  return {
    requestContext: {
      requestId: batch.requestId ?? randomUUID(),
      functionArn: mapping.functionArn,
      condition: batch.condition,
      approximateInvokeCount: batch.invokeCount,
    },
    responseContext: {
      statusCode: 200,
      executedVersion: '$LATEST',
      functionError: batch.functionError ? 'Unhandled' : null,
    },
    version: '1.0',
    timestamp: new Date(now).toISOString(),
    DDBStreamBatchInfo: {
      shardId: first.shardId,
      startSequenceNumber: first.sequenceNumber,
      endSequenceNumber: last.sequenceNumber,
      approximateArrivalOfFirstRecord: seconds(first.arrivedAt),
      approximateArrivalOfLastRecord: seconds(last.arrivedAt),
      batchSize: batch.records.length,
      streamArn: mapping.streamArn,
    },
  };
}

function seconds(milliseconds: number): string {
  return new Date(milliseconds).toISOString().replace(/\.\d+Z$/, 'Z');
}
