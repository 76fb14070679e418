import type { Message } from '@aws-sdk/client-sqs';

/** An SQS message in the form in which Lambda hands it to a function ("Using Lambda with Amazon SQS"). */
export interface QueueEventRecord {
  readonly messageId: string;
  readonly receiptHandle: string;
  readonly body: string;
  /** `ApproximateReceiveCount`, `SentTimestamp`, `SenderId`, `ApproximateFirstReceiveTimestamp`, … */
  readonly attributes: Readonly<Record<string, string>>;
  readonly messageAttributes: Readonly<Record<string, QueueEventAttribute>>;
  readonly md5OfBody: string;
  readonly eventSource: 'aws:sqs';
  readonly eventSourceARN: string;
  readonly awsRegion: string;
}

/** A message attribute; binary as base64. */
export interface QueueEventAttribute {
  readonly stringValue?: string;
  readonly binaryValue?: string;
  readonly stringListValues: readonly never[];
  readonly binaryListValues: readonly never[];
  readonly dataType: string;
}

/** Converts what ReceiveMessage gives; undefined for a message that cannot be deleted for want of its ids. */
export function toQueueRecord(
  message: Message,
  source: { readonly queueArn: string; readonly region: string },
): QueueEventRecord | undefined {
  if (message.MessageId === undefined || message.ReceiptHandle === undefined) return undefined;
  const messageAttributes = Object.entries(message.MessageAttributes ?? {}).map(
    ([name, { StringValue, BinaryValue, DataType }]): [string, QueueEventAttribute] => [
      name,
      {
        ...(StringValue !== undefined && { stringValue: StringValue }),
        ...(BinaryValue !== undefined && { binaryValue: Buffer.from(BinaryValue).toString('base64') }),
        stringListValues: [],
        binaryListValues: [],
        dataType: DataType ?? 'String',
      },
    ],
  );
  return {
    messageId: message.MessageId,
    receiptHandle: message.ReceiptHandle,
    body: message.Body ?? '',
    // The SDK types the system attributes as optional; those that are absent are no keys.
    attributes: { ...(message.Attributes as Record<string, string> | undefined) },
    messageAttributes: Object.fromEntries(messageAttributes),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: source.queueArn,
    awsRegion: source.region,
  };
}

/** What a filter pattern sees: a body that is a JSON object is matched as one (LDG:invocation-eventfiltering). */
export function filterView(record: QueueEventRecord): unknown {
  if (!/^\s*\{/.test(record.body)) return record;
  try {
    return { ...record, body: JSON.parse(record.body) };
  } catch {
    // Not JSON after all: patterns see the text.
    return record;
  }
}
