import type { StreamRecord } from '../../../local/events/stream-record.ts';

/** The record number `index` of a shard, of the item `key`. */
export function streamRecord(index: number, key = `k${index}`, arrivedAt = 0): StreamRecord {
  const sequenceNumber = String(index).padStart(21, '0');
  return {
    shardId: 'shardId-1',
    sequenceNumber,
    arrivedAt,
    event: {
      eventID: `event-${index}`,
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: arrivedAt / 1000,
        Keys: { k: { S: key } },
        SequenceNumber: sequenceNumber,
        SizeBytes: 10,
        StreamViewType: 'KEYS_ONLY',
      },
      eventSourceARN: 'arn:aws:dynamodb:us-east-1:000000000000:table/jobs/stream/1',
    },
  };
}

/** The sequence numbers of an event that a function got, as numbers. */
export function indexesOf(event: unknown): number[] {
  // Events in these tests are made by `deliverBatch`.
  const { Records } = event as { Records: StreamRecord['event'][] };
  return Records.map(({ dynamodb }) => Number(dynamodb.SequenceNumber));
}

/** A batch response that reports these records. */
export function reporting(...indexes: number[]): unknown {
  return { batchItemFailures: indexes.map((index) => ({ itemIdentifier: String(index).padStart(21, '0') })) };
}
