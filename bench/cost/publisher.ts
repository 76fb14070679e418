import { WATCHERS_IN_A_UNIT } from './large-audience.ts';
import type { Load } from './load.ts';
import { REQUESTS } from './requests.ts';
import { OWN_MILLISECONDS, REQUESTS_AT_A_TIME, type Usage } from './usage.ts';

/**
 * The publisher: an invocation a batch, in which each job's topics are read and its watchers posted to; `beside` are
 * milliseconds that it waits for something else.
 */
export function addPublisher(usage: Usage, load: Load, published: number, beside = 0): void {
  usage.run('publish a change, nobody watches', published, 'publish', 'another');
  const moreUnits = Math.max(0, Math.ceil(load.watchers / WATCHERS_IN_A_UNIT) - 1) + load.tags;
  usage.add('readUnits', published * moreUnits);
  usage.invoke('publish', published / load.changesPerBatch, Math.max(publishMilliseconds(load), beside));
}

/** Queries first, then posts, so many of either at a time. */
function publishMilliseconds({ changesPerBatch, requestMs, tags, watchers }: Load): number {
  const queries = REQUESTS['publish a change, nobody watches'].requests['Query subscriptions'] + tags;
  const turns = [queries, watchers].map((count) => Math.ceil((count * changesPerBatch) / REQUESTS_AT_A_TIME));
  return OWN_MILLISECONDS + requestMs * turns.reduce((sum, count) => sum + count);
}
