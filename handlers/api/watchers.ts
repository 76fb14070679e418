import { createHash } from 'node:crypto';
import { type JobWatcher, type JobWatchers, MAXIMUM_WATCHERS } from '../../protocol/watchers.ts';
import type { ConfirmedHead, JobRecord, Subscriber, SubscriptionTopic } from '../ports.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { jsonResponse } from './responses.ts';

/** A watcher, and by what it watches. */
interface Found extends Subscriber {
  readonly topic: JobWatcher['topic'];
}

/**
 * `GET /jobs/{id}/watchers`: who is told of the job now, and what each has confirmed; eventually consistent. A
 * connection counts once, by however many topics it watches, and until a 410, `$disconnect` or TTL has removed it.
 * @throws ProblemError `unauthorized`, `forbidden`, `not-found`; UnavailableError.
 */
export async function listWatchers(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const record = await readCallersJob(context, dependencies);
  const found = await findWatchers(record, dependencies);
  const listed = [...found.values()].slice(0, MAXIMUM_WATCHERS);
  const connections = listed.map(({ connection }) => connection);
  const heads =
    connections.length === 0
      ? new Map<string, ConfirmedHead>()
      : await dependencies.subscriptions.confirmedHeads(record.job.id, connections);
  const answer: JobWatchers = {
    watchers: listed.map(({ connection, topic, since }) => {
      const confirmed = heads.get(connection);
      const id = watcherId(record.job.id, connection);
      return { id, topic, since, ...(confirmed === undefined ? {} : { confirmed }) };
    }),
    count: found.size,
  };
  return jsonResponse(200, answer);
}

/** The watchers by connection, those of narrower topics first. */
async function findWatchers(
  record: JobRecord,
  dependencies: ApiDependencies,
): Promise<ReadonlyMap<string, Found>> {
  const found = new Map<string, Found>();
  for (const watchers of await Promise.all(
    topicsOf(record).map(([topic, key]) => watchersOf(topic, key, dependencies)),
  )) {
    for (const watcher of watchers) {
      if (!found.has(watcher.connection)) found.set(watcher.connection, watcher);
    }
  }
  return found;
}

function topicsOf({ job, owner }: JobRecord): readonly (readonly [JobWatcher['topic'], SubscriptionTopic])[] {
  return [
    ['job', `job:${job.id}`],
    ...job.tags.map((tag) => ['tag', `tag:${owner}:${tag}`] as const),
    ['owner', `owner:${owner}`],
  ];
}

async function watchersOf(
  topic: JobWatcher['topic'],
  key: SubscriptionTopic,
  { subscriptions, now }: ApiDependencies,
): Promise<readonly Found[]> {
  const found: Found[] = [];
  for await (const page of subscriptions.subscribers(key, now().toISOString())) {
    for (const subscriber of page) found.push({ ...subscriber, topic });
  }
  return found;
}

/**
 * A name for a connection that says nothing of its id, which is what @connections posts to and closes by: 72 bits
 * of hash. With the job, so that nobody can tell from two jobs that one person watches both.
 */
function watcherId(job: string, connection: string): string {
  return createHash('sha256')
    .update(JSON.stringify(['jobwire watcher', job, connection]))
    .digest('base64url')
    .slice(0, 12);
}
