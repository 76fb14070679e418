import * as v from 'valibot';
import { EpochSchema, JobIdSchema, TimeSchema } from '../../protocol/job.ts';
import type { Deadline, Delivery, Work } from '../queue-messages.ts';

/** The bodies of our queues' messages, as they are read. */

/** A body of the deliveries queue. */
export const DeliverySchema: v.GenericSchema<unknown, Delivery> = v.object({
  job: JobIdSchema,
  connection: v.pipe(v.string(), v.minLength(1)),
  attempt: v.pipe(v.number(), v.safeInteger(), v.minValue(0)),
  connectingUntil: v.exactOptional(TimeSchema),
});

/** A body of the deadlines queue. */
export const DeadlineSchema: v.GenericSchema<unknown, Deadline> = v.object({
  job: JobIdSchema,
  epoch: EpochSchema,
  execution: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
  lookedAt: v.exactOptional(TimeSchema),
});

/** A body of the work queue. */
export const WorkSchema: v.GenericSchema<unknown, Work> = v.object({ job: JobIdSchema, epoch: EpochSchema });
