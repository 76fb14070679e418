import { randomBytes } from 'node:crypto';
import type { Item } from '../handlers/aws/job-item.ts';
import type { InvokableFunction } from '../local/functions/invocation.ts';
import { type Child, startChild } from './child-process.ts';
import { type Figure, InvariantError, type Measure, requireInvariant } from './measure.ts';
import type { PostServerApi } from './post-server.ts';
import { type PublishWorld, startPublishWorld } from './publish-world.ts';
import { alternate, type Round, type Summary } from './rounds.ts';

/** Watchers of one job. */
const AUDIENCES = [1, 10, 100, 1_000, 10_000] as const;
/** The last one is a large audience, and is told by `deliver`. */
const QUICK_AUDIENCES = [1, 20, 1_200] as const;

/** Jobs with ten watchers each, in batches of the stream as large as they get (infrastructure/publishing.ts). */
const MANY_JOBS = { jobs: 1_000, watchers: 10 } as const;
const QUICK_JOBS = { jobs: 20, watchers: 10 } as const;
const BATCH = 100;

/** The audience that is published to in a table with so many rows of others; a tenth is looked for, so often enough. */
const AMONG_FOREIGN = { watchers: 1_000, rows: 100_000, repeats: 7 } as const;
const QUICK_FOREIGN = { watchers: 20, rows: 500, repeats: 1 } as const;

const ROUNDS = 5;

/** A minute is six times what the samples need for ten thousand. */
const PATIENCE_MS = 60_000;

type Metric = 'milliseconds' | 'requests' | 'units';
type Contestants = Record<string, Round<Metric>>;

/**
 * One change, from the invocation of `publish` with a batch of the stream to the last of its posts: the deployed
 * bundles, each in a worker thread as the local runtime runs it, before DynamoDB Local, fauxqs and a server in
 * another process that counts posts. Large audiences go over the queue to `deliver`, whose pace is off: it would
 * have ten thousand posts take two seconds. Beside it, what the public samples do (bench/samples-way.ts).
 */
export const publish: Measure = {
  name: 'publish',
  summary: 'one change to 1 … 10,000 watchers, from invoke to the last post, beside the samples’ way',
  async run({ quick, signal, log }) {
    const server = startChild<PostServerApi>(new URL('post-server.ts', import.meta.url));
    let world: PublishWorld | undefined;
    try {
      const { plain } = await server.call('start', undefined);
      log('starts DynamoDB, SQS and the functions');
      world = await startPublishWorld(`ws://127.0.0.1:${plain}/live`);
      const audiences = quick ? QUICK_AUDIENCES : AUDIENCES;
      const contestants: Contestants = {};
      for (const watchers of audiences) await addAudience(contestants, watchers, world, server);
      log('writes rows');
      await addManyJobs(contestants, quick ? QUICK_JOBS : MANY_JOBS, world, server);
      await addForeign(contestants, quick ? QUICK_FOREIGN : AMONG_FOREIGN, world, server);
      const summaries = await alternate(contestants, {
        rounds: quick ? 1 : ROUNDS,
        warmUps: quick ? 0 : 3, // code is compiled in the first ones
        signal,
        log,
      });
      return { figures: figuresOf(summaries, audiences), ratios: ratiosOf(summaries, quick) };
    } finally {
      await world?.close();
      await server.end();
    }
  },
};

type Server = Child<PostServerApi>;

async function addAudience(
  contestants: Contestants,
  watchers: number,
  world: PublishWorld,
  server: Server,
): Promise<void> {
  const connections = connectionsOf(watchers);
  const job = await world.makeJob();
  await world.watch('subscriptions', topicOf(job), connections);
  const table = `connections-${watchers}`;
  await world.connect(table, connections);
  let seq = 0;
  const change = () => {
    seq += 1; // a large audience is told of each state once, however often it is published
    return streamEvent([{ ...job, seq: { N: String(seq) } }]);
  };
  contestants[ours(watchers)] = () => tell(world, server, world.publish, [change()], watchers);
  contestants[samples(watchers)] = () =>
    tell(world, server, world.samples, [{ ...change(), table }], watchers);
}

async function addManyJobs(
  contestants: Contestants,
  { jobs, watchers }: { readonly jobs: number; readonly watchers: number },
  world: PublishWorld,
  server: Server,
): Promise<void> {
  const items: Item[] = [];
  for (let index = 0; index < jobs; index += 1) {
    const item = await world.makeJob();
    await world.watch('subscriptions', topicOf(item), connectionsOf(watchers));
    items.push(item);
  }
  const events = Array.from({ length: Math.ceil(jobs / BATCH) }, (_, index) =>
    streamEvent(items.slice(index * BATCH, (index + 1) * BATCH)),
  );
  contestants[MANY] = () => tell(world, server, world.publish, events, jobs * watchers);
}

async function addForeign(
  contestants: Contestants,
  { watchers, rows, repeats }: typeof AMONG_FOREIGN | typeof QUICK_FOREIGN,
  world: PublishWorld,
  server: Server,
): Promise<void> {
  const job = await world.makeJob();
  const connections = connectionsOf(watchers);
  await world.watch('quiet', topicOf(job), connections);
  await world.watch('crowded', topicOf(job), connections);
  const perTopic = 10;
  for (let written = 0; written < rows; written += 1_000) {
    await Promise.all(
      Array.from({ length: Math.min(100, (rows - written) / perTopic) }, (_, index) =>
        world.watch('crowded', `job:foreign-${written}-${index}`, connectionsOf(perTopic)),
      ),
    );
  }
  const event = streamEvent([job]);
  for (const [name, table] of [
    [ALONE, 'quiet'],
    [AMONG, 'crowded'],
  ] as const) {
    contestants[name] = async () => {
      const times: Readonly<Record<Metric, number>>[] = [];
      for (let time = 0; time < repeats; time += 1) {
        times.push(await tell(world, server, world.publishFrom[table], [event], watchers));
      }
      const middle = times.toSorted((one, other) => one.milliseconds - other.milliseconds)[repeats >> 1];
      requireInvariant(middle !== undefined, 'Nothing was repeated');
      return middle;
    };
  }
}

/** One round: milliseconds until the server has had every post, and what was asked of DynamoDB. */
async function tell(
  world: PublishWorld,
  server: Server,
  publisher: InvokableFunction,
  events: readonly unknown[],
  posts: number,
): Promise<Readonly<Record<Metric, number>>> {
  world.capacity.take();
  const begun = performance.now();
  const reached = server.call('reached', posts).then(() => performance.now());
  const invoked = invokeAll(publisher, [...events]);
  const [ended] = await Promise.race([Promise.all([reached, invoked]), expiry(posts)]);
  await world.settle();
  const came = await server.call('take');
  requireInvariant(
    came.posts === posts && came.connections === posts,
    `${publisher.name} owed ${posts} connections a post each; ${came.posts} came to ${came.connections}`,
  );
  return { milliseconds: ended - begun, ...world.capacity.take() };
}

/** Invokes with one event after the other, as many at a time as there are cores. */
async function invokeAll(publisher: InvokableFunction, events: unknown[]): Promise<void> {
  const work = async () => {
    for (let event = events.shift(); event !== undefined; event = events.shift())
      await publisher.invoke(event);
  };
  await Promise.all([work(), work()]);
}

async function expiry(posts: number): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS).unref());
  throw new InvariantError(`Of ${posts} posts some had not come after ${PATIENCE_MS / 1_000} seconds`);
}

const MANY = 'ours, many jobs';
const ALONE = 'ours, nobody else in the table';
const AMONG = 'ours, rows of others in the table';
const ours = (watchers: number) => `ours, ${watchers}`;
const samples = (watchers: number) => `samples, ${watchers}`;

type Summaries = Readonly<Record<string, Readonly<Record<Metric, Summary>>>>;

function medianOf(summaries: Summaries, name: string, metric: Metric): Summary {
  const summary = summaries[name]?.[metric];
  if (summary === undefined) throw new InvariantError(`${name} was not measured`);
  return summary;
}

function figuresOf(summaries: Summaries, audiences: readonly number[]): readonly Figure[] {
  const figure = (name: string, unit: string, metric: Metric, one: string, other?: string): Figure => {
    const mine = medianOf(summaries, one, metric);
    const row = { name, unit, value: mine.median, spread: mine.spread };
    if (other === undefined) return row;
    const theirs = medianOf(summaries, other, metric).median;
    return {
      ...row,
      baseline: { name: other.replace(/,.*/, ''), value: theirs },
      ratio: metric === 'milliseconds' ? theirs / mine.median : mine.median / theirs,
    };
  };
  return [
    ...audiences.map((watchers) =>
      figure(
        `one change, ${watchers} watchers, unpaced`,
        'ms',
        'milliseconds',
        ours(watchers),
        samples(watchers),
      ),
    ),
    ...audiences.map((watchers) =>
      figure(`requests to DynamoDB, ${watchers} watchers`, '', 'requests', ours(watchers), samples(watchers)),
    ),
    ...audiences.map((watchers) =>
      figure(`capacity units, ${watchers} watchers`, '', 'units', ours(watchers), samples(watchers)),
    ),
    figure('many jobs with 10 watchers each', 'ms', 'milliseconds', MANY),
    figure('requests to DynamoDB, many jobs', '', 'requests', MANY),
    figure('capacity units, many jobs', '', 'units', MANY),
    {
      ...figure('one change among rows of others', 'ms', 'milliseconds', AMONG),
      baseline: { name: 'nobody else', value: medianOf(summaries, ALONE, 'milliseconds').median },
      ratio: foreignRows(summaries),
    },
  ];
}

function ratiosOf(summaries: Summaries, quick: boolean): Readonly<Record<string, number>> {
  const time = (name: string) => medianOf(summaries, name, 'milliseconds').median;
  const [large, tenth] = quick ? [1_200, 20] : [10_000, 1_000];
  return {
    timeSamplesToOurs: time(samples(large)) / time(ours(large)),
    growth1kTo10k: time(ours(large)) / time(ours(tenth)) / (large / tenth),
    foreignRows: foreignRows(summaries),
  };
}

function foreignRows(summaries: Summaries): number {
  return (
    medianOf(summaries, AMONG, 'milliseconds').median / medianOf(summaries, ALONE, 'milliseconds').median
  );
}

/** The topic of those who watch a job. */
export function topicOf(job: Item): `job:${string}` {
  return `job:${job['job']?.S ?? ''}`;
}

/** Ids as API Gateway names connections (aws-facts 1.1). */
function connectionsOf(count: number): readonly string[] {
  return Array.from({ length: count }, () => `${randomBytes(11).toString('base64url')}=`);
}

/** What the event source mapping of the stream hands over (aws-facts 3.1). */
export function streamEvent(items: readonly Item[]) {
  return {
    Records: items.map((NewImage, index) => ({
      eventID: String(index),
      eventName: 'MODIFY',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: Math.floor(Date.now() / 1_000),
        Keys: { job: NewImage['job'] },
        NewImage,
        SequenceNumber: String(1_000 + index),
        SizeBytes: 600,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    })),
  };
}
