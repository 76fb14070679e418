import * as v from 'valibot';
import { TimeSchema } from './job.ts';

/** The most watchers that `GET /jobs/{id}/watchers` lists; `count` is that of all. */
export const MAXIMUM_WATCHERS = 100;

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

/**
 * One connection that is told of a job. `id` is an opaque name that lasts as long as the connection and is
 * another one for another job; `topic` is by what it watches (the narrowest, where by several); `since` is when
 * it subscribed. `confirmed` is the newest state that it said to have in the heads of a ping, and when it last
 * had news to say; absent until it has.
 */
export const JobWatcherSchema = v.object({
  id: v.string(),
  topic: v.picklist(['job', 'tag', 'owner']),
  since: TimeSchema,
  confirmed: v.optional(v.object({ seq: Count, at: TimeSchema })),
});

/** The answer of `GET /jobs/{id}/watchers`: those of narrower topics first, at most `MAXIMUM_WATCHERS`. */
export const JobWatchersSchema = v.object({
  watchers: v.pipe(v.array(JobWatcherSchema), v.maxLength(MAXIMUM_WATCHERS)),
  count: Count,
});

/** See `JobWatcherSchema`. */
export type JobWatcher = v.InferOutput<typeof JobWatcherSchema>;
/** See `JobWatchersSchema`. */
export type JobWatchers = v.InferOutput<typeof JobWatchersSchema>;
