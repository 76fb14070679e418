import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';
import type { JobRecord } from '../ports.ts';
import { readJobItem } from './job-item.ts';

/** A record of the jobs table's stream: the state after a change, or why it could not be read. */
export type JobChangeReading =
  | {
      readonly sequenceNumber: string;
      /** About when the change was committed; the stream's times are whole seconds or better (aws-facts 3.1). */
      readonly at: Date;
      readonly record: JobRecord;
    }
  | { readonly sequenceNumber: string; readonly malformed: MalformedDataError };

const EventSchema = v.object({ Records: v.array(v.unknown()) });
const SequenceSchema = v.object({ dynamodb: v.object({ SequenceNumber: v.string() }) });
const RecordSchema = v.object({
  eventName: v.picklist(['INSERT', 'MODIFY', 'REMOVE']),
  dynamodb: v.object({
    /** Seconds since the epoch. */
    ApproximateCreationDateTime: v.number(),
    NewImage: v.optional(v.unknown()),
  }),
});

/**
 * Reads a batch of the jobs table's stream, in its order. Deletions (TTL) are left out: they change no job
 * that anybody may still watch.
 * @throws MalformedDataError when it is not such a batch at all; a bad record is a reading.
 */
export function readJobChanges(event: unknown): readonly JobChangeReading[] {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) throw new MalformedDataError("The stream's event");
  return parsed.output.Records.flatMap((record) => readRecord(record) ?? []);
}

function readRecord(value: unknown): JobChangeReading | undefined {
  const sequence = v.safeParse(SequenceSchema, value);
  // Without a number the record cannot be reported on its own; an empty one reports the batch (aws-facts 3.4).
  const sequenceNumber = sequence.success ? sequence.output.dynamodb.SequenceNumber : '';
  const parsed = v.safeParse(RecordSchema, value);
  if (!parsed.success) return { sequenceNumber, malformed: new MalformedDataError("A stream's record") };
  const { eventName, dynamodb } = parsed.output;
  if (eventName === 'REMOVE') return undefined;
  try {
    const at = new Date(dynamodb.ApproximateCreationDateTime * 1000);
    return { sequenceNumber, at, record: readJobItem(dynamodb.NewImage) };
  } catch (error) {
    if (error instanceof MalformedDataError) return { sequenceNumber, malformed: error };
    throw error;
  }
}
