import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';
import { parseUploadKey } from './object-key.ts';

/** An upload that S3 tells of. Its size and tag may be those of an older upload, so they are not read. */
export interface ObjectCreated {
  readonly job: string;
  readonly epoch: string;
}

const EventSchema = v.object({
  'detail-type': v.literal('Object Created'),
  detail: v.object({ object: v.object({ key: v.string() }) }),
});

/**
 * Reads EventBridge's "Object Created". Its key is not URL-encoded, unlike that of S3's own notifications
 * (aws-facts 4).
 * @throws MalformedDataError when it is not such an event, or the key is not that of an upload.
 */
export function readObjectCreated(event: unknown): ObjectCreated {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) throw new MalformedDataError("S3's event");
  const upload = parseUploadKey(parsed.output.detail.object.key);
  if (upload === undefined) throw new MalformedDataError("The key of S3's event");
  return upload;
}
