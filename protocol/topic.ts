import * as v from 'valibot';
import { TagSchema } from './job.ts';

/** What a client may subscribe to besides single jobs: all of its own jobs, or its jobs of one tag. */
export const TopicSchema = v.union(
  [
    v.literal('owner:me'),
    v.pipe(
      v.string(),
      v.startsWith('tag:'),
      v.check((topic) => v.is(TagSchema, topic.slice('tag:'.length)), 'must name a valid tag'),
    ),
  ],
  'must be "owner:me" or "tag:<tag>"',
);

/** `owner:me` or `tag:<tag>`, as on the wire. */
export type Topic = v.InferOutput<typeof TopicSchema>;
