import * as v from 'valibot';
import { JobIdSchema } from '../../protocol/job.ts';

/** A deletion in the jobs table's stream. */
export interface RemovedJobReading {
  readonly sequenceNumber: string;
  readonly job: string;
}

const EventSchema = v.object({ Records: v.array(v.unknown()) });
const RemovalSchema = v.object({
  eventName: v.literal('REMOVE'),
  dynamodb: v.object({
    SequenceNumber: v.string(),
    Keys: v.object({ job: v.object({ S: JobIdSchema }) }),
  }),
});

/**
 * The jobs that a batch of the jobs table's stream says were deleted (TTL), in its order. Whatever else there is has
 * its reader in stream-event.ts.
 */
export function readRemovedJobs(event: unknown): readonly RemovedJobReading[] {
  const parsed = v.safeParse(EventSchema, event);
  if (!parsed.success) return [];
  return parsed.output.Records.flatMap((record) => {
    const removal = v.safeParse(RemovalSchema, record);
    if (!removal.success) return [];
    const { SequenceNumber, Keys } = removal.output.dynamodb;
    return [{ sequenceNumber: SequenceNumber, job: Keys.job.S }];
  });
}
