import { coldStart } from './cold-start.ts';
import { conflation } from './conflation.ts';
import { connections } from './connections.ts';
import { latency } from './latency.ts';
import type { Measure } from './measure.ts';
import { post } from './post.ts';
import { processing } from './processing.ts';
import { publish } from './publish.ts';
import { telling } from './telling.ts';

/** Every measure of `npm run bench`, in the order in which they run. */
export const MEASURES: readonly Measure[] = [
  post,
  publish,
  latency,
  connections,
  coldStart,
  conflation,
  processing,
  telling,
];
