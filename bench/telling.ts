import { setTimeout as delay } from 'node:timers/promises';
import type { Item } from '../handlers/aws/job-item.ts';
import { VARIABLES } from '../handlers/environment.ts';
import { bundleFunctions, bundleOf } from '../infrastructure/bundles.ts';
import { DEFAULT_VARIANT, entriesOf } from '../infrastructure/entries.ts';
import type { InvokableFunction } from '../local/functions/invocation.ts';
import { broadcastClientIdPrefix, broadcastTopic } from '../protocol/broadcast.ts';
import type { BrokerServer } from './broker-process.ts';
import { type Child, startChild } from './child-process.ts';
import type { GatewayServer } from './connections-server.ts';
import { type CountingProxy, startCountingProxy } from './counting-proxy.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import { InvariantError, type Measure, type MeasureSettings, requireInvariant } from './measure.ts';
import { requireOpenFiles } from './open-files.ts';
import { measurePollers, type PollersLoad } from './pollers.ts';
import { streamEvent, topicOf } from './publish.ts';
import { type PublishWorld, startPublishWorld } from './publish-world.ts';
import { alternate } from './rounds.ts';
import { type Told, type ToldMetric, toldFigures, toldRatios } from './told-figures.ts';
import type { BrokerAccess, Watchers } from './watchers-process.ts';

interface Load {
  /** Watchers of one job, ascending. */
  readonly audiences: readonly number[];
  readonly rounds: number;
  readonly warmUps: number;
  /** For these audiences polling is measured; for others it follows. */
  readonly polled: PollersLoad;
}

const FULL: Load = {
  audiences: [1, 100, 10_000],
  rounds: 3,
  warmUps: 1,
  polled: { audiences: [1, 100], intervalSeconds: 2, changes: 5 },
};

const QUICK: Load = {
  audiences: [1, 20],
  rounds: 1,
  warmUps: 0,
  polled: { audiences: [1, 20], intervalSeconds: 0.3, changes: 1 },
};

/** A broker retains one message of a topic in a second (local/services/iot-limits.ts), and some. */
const BETWEEN_PUBLICATIONS_MS = 1_050;

/** A minute is several times what ten thousand take. */
const PATIENCE_MS = 60_000;

const AUTHORIZER = 'bench';

/**
 * One change of a job told to all who watch it: over the WebSocket API by a post each, by a broker in one publication,
 * and by their own polls. The deployed bundles of `publish` and `deliver` before DynamoDB Local and fauxqs; the local
 * gateway, the local IoT Core and the watchers each in a process of its own. A change counts from the invocation of
 * `publish`, which it is in the stream for (its way there is in the measure `latency`); a polled one from its commit.
 */
export const telling: Measure = {
  name: 'telling',
  summary:
    'one change told to 1, 100 and 10,000 watchers by WebSocket, by a broker, by polling: requests, time',
  async run(settings) {
    const load = settings.quick ? QUICK : FULL;
    requireOpenFiles(load.audiences.at(-1) ?? 0);
    const told = await measurePushed(load, settings);
    const polled = await measurePollers(load.polled, settings);
    return {
      figures: toldFigures(told, polled, load.polled.intervalSeconds),
      ratios: toldRatios(told),
    };
  },
};

/** Everything that tells, and the job that each way tells of. */
interface Ways {
  readonly world: PublishWorld;
  readonly gateway: Child<GatewayServer>;
  readonly sockets: Child<Watchers>;
  readonly subscribers: Child<Watchers>;
  readonly publications: CountingProxy;
  readonly publishToBroker: InvokableFunction;
  readonly broker: BrokerAccess;
  readonly watched: Item;
  readonly broadcast: Item;
  /** Where the sockets connect to. */
  readonly socketUrl: string;
}

async function measurePushed(load: Load, settings: MeasureSettings): Promise<ReadonlyMap<number, Told>> {
  const closing: (() => unknown)[] = [];
  try {
    settings.log('starts DynamoDB, SQS, the gateway, the broker and the functions');
    const ways = await startWays(closing);
    const told = new Map<number, Told>();
    const known = new Set<string>();
    for (const watchers of load.audiences) {
      settings.log(`connects ${watchers} watchers each`);
      const count = watchers - known.size;
      await ways.sockets.call('openSockets', { url: ways.socketUrl, count });
      await ways.subscribers.call('openBroker', { ...ways.broker, count });
      const { connections } = await ways.gateway.call('posting');
      const fresh = connections.filter((connection) => !known.has(connection));
      await ways.world.watch('subscriptions', topicOf(ways.watched), fresh);
      for (const connection of fresh) known.add(connection);
      requireInvariant(known.size === watchers, `${known.size} sockets are open, not ${watchers}`);
      const { rounds, warmUps } = load;
      const { signal, log } = settings;
      const contestants = {
        socket: () => tellSockets(ways, watchers),
        broker: () => tellBroker(ways, watchers),
      };
      told.set(watchers, await alternate(contestants, { rounds, warmUps, signal, log }));
    }
    return told;
  } finally {
    for (const end of closing.reverse()) await end();
  }
}

async function startWays(closing: (() => unknown)[]): Promise<Ways> {
  const child = <Api extends Record<keyof Api, (argument: never) => unknown>>(module: string) => {
    const started = startChild<Api>(new URL(module, import.meta.url));
    closing.push(() => started.end());
    return started;
  };
  const gateway = child<GatewayServer>('gateway-process.ts');
  const brokerServer = child<BrokerServer>('broker-process.ts');
  const sockets = child<Watchers>('watchers-process.ts');
  const subscribers = child<Watchers>('watchers-process.ts');
  const { port, path } = await gateway.call('start');
  const socketUrl = `ws://127.0.0.1:${port}${path}`;
  const world = await startPublishWorld(socketUrl);
  closing.push(() => world.close());
  const [watched, broadcast] = [await world.makeJob(), await world.makeJob()];
  const job = broadcast['job']?.S ?? '';
  const brokerPort = await brokerServer.call('start', { authorizer: AUTHORIZER, job });
  const publications = await startCountingProxy(brokerPort);
  closing.push(() => publications.close());
  const folder = await makeTemporaryFolder();
  closing.push(() => folder.remove());
  const { publish = '' } = entriesOf({ ...DEFAULT_VARIANT, broadcast: { by: 'iot-core' } });
  const bundles = bundleFunctions(folder.path, { ...entriesOf(DEFAULT_VARIANT), publish });
  const publishToBroker = world.add('publish-broadcast', bundleOf(bundles, 'publish'), {
    [VARIABLES.iotEndpoint]: publications.endpoint,
  });
  return {
    ...{ world, gateway, sockets, subscribers, publications, publishToBroker, watched, broadcast, socketUrl },
    broker: {
      url: `ws://127.0.0.1:${brokerPort}/mqtt`,
      username: `jobwire?x-amz-customauthorizer-name=${AUTHORIZER}`,
      clientIdPrefix: broadcastClientIdPrefix(job),
      topic: broadcastTopic(job),
    },
  };
}

let seq = 1;

/** The next state of a job, as the table has it. */
async function change(
  world: PublishWorld,
  job: Item,
): Promise<{ readonly seq: number; readonly item: Item }> {
  seq += 1;
  const item = { ...job, seq: { N: String(seq) } };
  await world.write(item);
  return { seq, item };
}

async function tellSockets(ways: Ways, watchers: number): Promise<Record<ToldMetric, number>> {
  const { world, sockets } = ways;
  const { milliseconds, requests } = await tell(ways, world.publish, sockets, ways.watched, watchers);
  return { milliseconds, requests: requests + watchers };
}

async function tellBroker(ways: Ways, watchers: number): Promise<Record<ToldMetric, number>> {
  await delay(BETWEEN_PUBLICATIONS_MS);
  ways.publications.take();
  const { publishToBroker, subscribers, broadcast } = ways;
  const { milliseconds, requests } = await tell(ways, publishToBroker, subscribers, broadcast, watchers);
  const published = ways.publications.take();
  requireInvariant(published === 1, `${published} publications told of one change`);
  return { milliseconds, requests: requests + published };
}

/** From the invocation until the last one is told; with the requests to DynamoDB. */
async function tell(
  { world }: Ways,
  publisher: InvokableFunction,
  watchers: Child<Watchers>,
  job: Item,
  count: number,
): Promise<Record<ToldMetric, number>> {
  const { seq, item } = await change(world, job);
  world.capacity.take();
  const told = watchers.call('told', seq);
  told.catch(() => {}); // where the publisher fails first, that is what counts
  const begun = performance.timeOrigin + performance.now();
  await publisher.invoke(streamEvent([item]));
  const late = new AbortController();
  const patience = delay(PATIENCE_MS, undefined, { signal: late.signal }).catch(() => undefined);
  const at = await Promise.race([told, patience]);
  late.abort();
  if (at === undefined) throw new InvariantError(`Some of ${count} watchers were not told in time`);
  await world.settle();
  const messages = await watchers.call('toldOf', seq);
  requireInvariant(messages === count, `${count} watchers were owed a message each; ${messages} came`);
  return { milliseconds: at - begun, requests: world.capacity.take().requests };
}
