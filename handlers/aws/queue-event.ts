import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';

/** A message of a queue, or why it could not be read. */
export type MessageReading<Message> =
  | {
      readonly messageId: string;
      /** How often the message has been received, this time included. */
      readonly receiveCount: number;
      readonly message: Message;
    }
  | { readonly messageId: string; readonly malformed: MalformedDataError };

/** What a function answers so that only these messages, or the stream from this record on, come again. */
export interface BatchItemFailures {
  readonly batchItemFailures: readonly { readonly itemIdentifier: string }[];
}

const EventSchema = v.object({ Records: v.array(v.unknown()) });
const RecordSchema = v.object({
  messageId: v.string(),
  body: v.string(),
  attributes: v.object({
    ApproximateReceiveCount: v.pipe(v.string(), v.digits(), v.transform(Number), v.minValue(1)),
  }),
});
const IdSchema = v.object({ messageId: v.string() });

/**
 * Reads a batch of a queue whose bodies are JSON of `schema`.
 * @throws MalformedDataError when it is not such a batch at all; a bad message is a reading.
 */
export function readMessages<Message>(
  event: unknown,
  schema: v.GenericSchema<unknown, Message>,
): readonly MessageReading<Message>[] {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) throw new MalformedDataError("The queue's event");
  return parsed.output.Records.map((record) => readMessage(record, schema));
}

/** The answer that has these messages or records tried again. Empty: the whole batch is done (aws-facts 3.4). */
export function batchItemFailures(ids: readonly string[]): BatchItemFailures {
  return { batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) };
}

function readMessage<Message>(
  value: unknown,
  schema: v.GenericSchema<unknown, Message>,
): MessageReading<Message> {
  const record = v.safeParse(RecordSchema, value);
  if (!record.success) {
    const id = v.safeParse(IdSchema, value);
    const messageId = id.success ? id.output.messageId : '';
    return { messageId, malformed: new MalformedDataError("A queue's record") };
  }
  const { messageId, body, attributes } = record.output;
  try {
    const message = v.safeParse(schema, JSON.parse(body));
    if (!message.success) return { messageId, malformed: new MalformedDataError("A message's body") };
    return { messageId, receiveCount: attributes.ApproximateReceiveCount, message: message.output };
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw cause;
    return { messageId, malformed: new MalformedDataError("A message's body", { cause }) };
  }
}
