import type { _Record, AttributeValue } from '@aws-sdk/client-dynamodb-streams';

/** A DynamoDB attribute value as Lambda events carry it: binary as base64. */
export type EventAttributeValue = Readonly<Record<string, unknown>>;

/** A record of a DynamoDB stream in the form in which Lambda hands it to a function (aws-facts 3.1). */
export interface StreamEventRecord {
  readonly eventID: string;
  readonly eventName: string;
  readonly eventVersion: '1.1';
  readonly eventSource: 'aws:dynamodb';
  readonly awsRegion: string;
  readonly dynamodb: {
    /** Seconds since the epoch. */
    readonly ApproximateCreationDateTime: number;
    readonly Keys: Readonly<Record<string, EventAttributeValue>>;
    readonly NewImage?: Readonly<Record<string, EventAttributeValue>>;
    readonly OldImage?: Readonly<Record<string, EventAttributeValue>>;
    readonly SequenceNumber: string;
    readonly SizeBytes: number;
    readonly StreamViewType: string;
  };
  readonly eventSourceARN: string;
  /** Of deletions by TTL. */
  readonly userIdentity?: { readonly type: string; readonly principalId: string };
}

/** A record on its way through an event source mapping. */
export interface StreamRecord {
  readonly shardId: string;
  readonly sequenceNumber: string;
  /** Milliseconds since the epoch. */
  readonly arrivedAt: number;
  readonly event: StreamEventRecord;
}

/** Where the records of a mapping claim to come from. */
export interface RecordSource {
  readonly eventSourceArn: string;
  readonly region: string;
}

/** Converts what GetRecords gives; undefined for a record without the fields that every record has. */
export function toStreamRecord(
  shardId: string,
  record: _Record,
  source: RecordSource,
): StreamRecord | undefined {
  const { dynamodb, userIdentity, eventID, eventName } = record;
  if (dynamodb?.SequenceNumber === undefined || eventID === undefined || eventName === undefined) {
    return undefined;
  }
  const arrivedAt = dynamodb.ApproximateCreationDateTime?.getTime() ?? 0;
  const event: StreamEventRecord = {
    eventID,
    eventName,
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    awsRegion: source.region,
    dynamodb: {
      ApproximateCreationDateTime: arrivedAt / 1000,
      Keys: toImage(dynamodb.Keys ?? {}),
      ...(dynamodb.NewImage !== undefined && { NewImage: toImage(dynamodb.NewImage) }),
      ...(dynamodb.OldImage !== undefined && { OldImage: toImage(dynamodb.OldImage) }),
      SequenceNumber: dynamodb.SequenceNumber,
      SizeBytes: dynamodb.SizeBytes ?? 0,
      StreamViewType: dynamodb.StreamViewType ?? 'NEW_AND_OLD_IMAGES',
    },
    eventSourceARN: source.eventSourceArn,
    ...(userIdentity !== undefined && {
      userIdentity: { type: userIdentity.Type ?? '', principalId: userIdentity.PrincipalId ?? '' },
    }),
  };
  return { shardId, sequenceNumber: dynamodb.SequenceNumber, arrivedAt, event };
}

function toImage(image: Readonly<Record<string, AttributeValue>>): Record<string, EventAttributeValue> {
  return Object.fromEntries(Object.entries(image).map(([name, value]) => [name, toEventValue(value)]));
}

function toEventValue(value: AttributeValue): EventAttributeValue {
  if (value.B !== undefined) return { B: base64(value.B) };
  if (value.BS !== undefined) return { BS: value.BS.map(base64) };
  if (value.L !== undefined) return { L: value.L.map(toEventValue) };
  if (value.M !== undefined) return { M: toImage(value.M) };
  // What is left is JSON already: S, N, BOOL, NULL, SS, NS.
  return { ...value };
}

function base64(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('base64');
}
