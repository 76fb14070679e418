import * as v from 'valibot';
import { EpochSchema, JobIdSchema, TimeSchema } from '../../protocol/job.ts';
import type { SubscriptionTopic } from '../ports.ts';
import type { Broadcast, Deadline, Delivery, RetainedState, Work } from '../queue-messages.ts';

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

const CountSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));
const broadcast = {
  job: JobIdSchema,
  topic: v.custom<SubscriptionTopic>(
    (topic) => typeof topic === 'string' && /^(?:job|owner|tag):./s.test(topic),
    'must be a topic',
  ),
  round: CountSchema,
  attempt: CountSchema,
};
const first = v.exactOptional(v.pipe(v.string(), v.minLength(1)));

/** A body of the broadcasts queue. */
export const BroadcastSchema: v.GenericSchema<unknown, Broadcast> = v.variant('kind', [
  v.object({ kind: v.literal('round'), ...broadcast, first }),
  v.object({ kind: v.literal('next-round'), ...broadcast, first }),
  v.object({
    kind: v.literal('range'),
    ...broadcast,
    range: v.object({
      after: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
      until: v.exactOptional(v.pipe(v.string(), v.minLength(1))),
    }),
    posts: CountSchema,
  }),
]);

/** A body of either queue that the deliver function works off. */
export const DeliverMessageSchema: v.GenericSchema<unknown, Broadcast | Delivery> = v.union([
  BroadcastSchema,
  DeliverySchema,
]);

/** A body of the retained queue, which only stacks that broadcast have. */
export const RetainedStateSchema: v.GenericSchema<unknown, RetainedState> = v.object({
  kind: v.literal('retained'),
  job: JobIdSchema,
  head: v.exactOptional(v.pipe(v.string(), v.regex(/^[0-9A-HJKMNP-TV-Z]{26}\.\d+$/))),
  sentAt: v.exactOptional(TimeSchema),
  attempt: CountSchema,
});

/** A body of the queues that the deliver function works off, in a stack that broadcasts. */
export const DeliverOrRetainMessageSchema: v.GenericSchema<unknown, Broadcast | Delivery | RetainedState> =
  v.union([RetainedStateSchema, DeliverMessageSchema]);
