import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';
import { parseUploadKey } from './object-key.ts';

/** An upload that S3 tells of. */
export interface ObjectCreated {
  readonly job: string;
  readonly epoch: string;
  readonly key: string;
  /** In bytes. */
  readonly size: number;
  /** The entity tag, quotes included, as S3's answers have it; the event's has none. */
  readonly tag: string;
  /** Orders the events of one key (aws-facts 4: right-pad with 0, compare as text). */
  readonly sequencer: string;
}

const EventSchema = v.object({
  'detail-type': v.literal('Object Created'),
  detail: v.object({
    object: v.object({
      key: v.string(),
      size: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
      etag: v.string(),
      sequencer: v.string(),
    }),
  }),
});

/**
 * Reads EventBridge's "Object Created". Its key is not URL-encoded, unlike that of S3's own notifications
 * (aws-facts 4).
 * @throws MalformedDataError when it is not such an event, or the key is not that of an upload.
 */
export function readObjectCreated(event: unknown): ObjectCreated {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) throw new MalformedDataError("S3's event");
  const { key, size, etag, sequencer } = parsed.output.detail.object;
  const upload = parseUploadKey(key);
  if (upload === undefined) throw new MalformedDataError("The key of S3's event");
  return { ...upload, key, size, tag: `"${etag.replaceAll('"', '')}"`, sequencer };
}
