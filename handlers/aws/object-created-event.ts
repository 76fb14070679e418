import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';
import { parseUploadKey } from './object-key.ts';

/** An upload that S3 tells of. Its size and tag may be those of an older upload, so they are not read. */
export interface ObjectCreated {
  readonly job: string;
  readonly epoch: string;
}

/** One upload of an event, or why it could not be read. */
export type ObjectCreatedReading =
  | { readonly upload: ObjectCreated }
  | { readonly malformed: MalformedDataError };

const BusEventSchema = v.object({
  'detail-type': v.literal('Object Created'),
  detail: v.object({ object: v.object({ key: v.string() }) }),
});

const NotificationSchema = v.object({ Records: v.array(v.unknown()) });
const RecordSchema = v.object({
  eventSource: v.literal('aws:s3'),
  eventName: v.pipe(v.string(), v.startsWith('ObjectCreated:')),
  s3: v.object({ object: v.object({ key: v.string() }) }),
});

/** What S3 sends when notifications are set up, to see whether anybody is there (aws-facts 4). */
const TestSchema = v.object({ Service: v.literal('Amazon S3'), Event: v.literal('s3:TestEvent') });

/**
 * Reads what tells of uploads: EventBridge's "Object Created", which tells of one, or a notification that S3 sends by
 * itself, which may tell of several, and is a test at times, which tells of none.
 * @throws MalformedDataError when it is no such event at all; a bad key or record is a reading.
 */
export function readObjectCreated(event: unknown): readonly ObjectCreatedReading[] {
  const busEvent = v.safeParse(BusEventSchema, event);
  if (busEvent.success) return [readKey(busEvent.output.detail.object.key)];
  const notification = v.safeParse(NotificationSchema, event);
  if (notification.success) return notification.output.Records.map(readRecord);
  if (v.is(TestSchema, event)) return [];
  throw new MalformedDataError("S3's event");
}

function readRecord(record: unknown): ObjectCreatedReading {
  const parsed = v.safeParse(RecordSchema, record);
  if (!parsed.success) return { malformed: new MalformedDataError("A record of S3's event") };
  try {
    return readKey(decodeKey(parsed.output.s3.object.key));
  } catch (error) {
    if (error instanceof MalformedDataError) return { malformed: error };
    throw error;
  }
}

/**
 * The key that a notification means: it is written as in a form, unlike EventBridge's, which is as it is
 * (aws-facts 4).
 * @throws MalformedDataError for what no form writes.
 */
export function decodeKey(encoded: string): string {
  try {
    return decodeURIComponent(encoded.replaceAll('+', ' '));
  } catch (cause) {
    throw new MalformedDataError("The key of S3's event", { cause });
  }
}

function readKey(key: string): ObjectCreatedReading {
  const upload = parseUploadKey(key);
  return upload === undefined ? { malformed: new MalformedDataError("The key of S3's event") } : { upload };
}
