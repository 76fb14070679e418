import { billOf, pollingDollars } from '../cost/bill.ts';
import { changesOf } from '../cost/changes.ts';
import { type Load, loadOf } from '../cost/load.ts';
import { costOf } from '../cost/prices.ts';
import { money } from '../cost/print.ts';
import { OWN_MILLISECONDS } from '../cost/usage.ts';
import { DEFAULT_WAYS, type Ways } from '../cost/ways.ts';
import { duration, fine, markdown, percent, whole } from './markdown.ts';
import {
  ACCOUNT_REQUESTS,
  CONNECTION_SECONDS,
  CONNECTS_PER_SECOND,
  HTTP_REQUESTS,
  PARTITION_READS,
  PARTITION_WRITES,
  POSTS_SHARE,
  ROW_BYTES,
  SOCKET_FRAMES,
  WATCHERS_IN_A_UNIT,
} from './quotas.ts';
import { broadcastTable, overloadTable, reconnectTable } from './storm-tables.ts';

/** The crowds of docs/scale.md: watchers that are connected at one moment. */
export const CROWDS = [1_000, 100_000, 1_000_000, 10_000_000] as const;

/** What a heartbeat costs less often: within API Gateway's ten idle minutes, two of which may get lost. */
export const RARE_PING_SECONDS = 180;

/** All watchers are told by the broker. */
const BROKER: Ways = { ...DEFAULT_WAYS, broadcast: 'iot-core' };

/** Ten watch each job; a job takes ten minutes, and there are always as many as it takes. */
const WATCHERS_OF_A_JOB = 10;
const JOB_SECONDS = 600;

const GIGABYTE = 1e9;

/** A table of docs/scale.md, by the name in its marker. */
export type TableName =
  | 'steady'
  | 'walls'
  | 'overload'
  | 'broadcast'
  | 'reconnect'
  | 'publish'
  | 'audience'
  | 'bills';

/** Every table of docs/scale.md, in Markdown. Some seconds of work. */
export function scaleTables(): Readonly<Record<TableName, string>> {
  return {
    steady: steadyTable(),
    walls: wallsTable(),
    overload: overloadTable([40_000, 50_000, 60_000, 75_000, 100_000, 200_000]),
    reconnect: reconnectTable(CROWDS.filter((clients) => clients <= 1e6)),
    publish: publishTable(),
    audience: audienceTable(),
    broadcast: broadcastTable([10_000, 100_000]),
    bills: billsTable(),
  };
}

/** The load of a crowd around the clock. */
export function crowdLoad(watchers: number, pingSeconds: number): Load {
  return loadOf({
    jobsPerDay: (watchers / WATCHERS_OF_A_JOB) * (86_400 / JOB_SECONDS),
    watchers: WATCHERS_OF_A_JOB,
    updates: 20,
    uploadSeconds: 0,
    jobSeconds: JOB_SECONDS,
    watchMinutes: JOB_SECONDS / 60,
    pingSeconds,
  });
}

function steadyTable(): string {
  const { pingSeconds, requestMs } = crowdLoad(1, loadOf({}).pingSeconds);
  const pingMs = OWN_MILLISECONDS + requestMs;
  return markdown(
    [
      'connected',
      `pings a second, every ${pingSeconds} s`,
      'of the account’s limit',
      'of the socket stage’s',
      `pings a second, every ${RARE_PING_SECONDS} s`,
      'Lambda at a time for pings',
      'new connections a second',
      'frames a second',
      'rows of watchers',
    ],
    CROWDS.map((watchers) => {
      const load = crowdLoad(watchers, pingSeconds);
      const pings = watchers / pingSeconds;
      return [
        whole(watchers),
        whole(pings),
        percent(pings / ACCOUNT_REQUESTS),
        percent(pings / SOCKET_FRAMES),
        whole(watchers / RARE_PING_SECONDS),
        whole((pings * pingMs) / 1_000),
        fine(watchers / CONNECTION_SECONDS),
        whole((watchers * (changesOf(load) - 1)) / JOB_SECONDS),
        `${fine((watchers * ROW_BYTES) / GIGABYTE)} GB`,
      ];
    }),
  );
}

/** How many watchers each limit allows, the lowest first. */
function wallsTable(): string {
  const { pingSeconds } = loadOf({});
  const framesOfAWatcher = (changesOf(crowdLoad(WATCHERS_OF_A_JOB, pingSeconds)) - 1) / JOB_SECONDS;
  const walls: readonly (readonly [wall: string, watchers: number])[] = [
    [
      `pings every ${pingSeconds} s, at the socket stage’s ${whole(SOCKET_FRAMES)} a second`,
      SOCKET_FRAMES * pingSeconds,
    ],
    [
      `frames of the crowd’s jobs, at half of the account’s ${whole(ACCOUNT_REQUESTS)} a second`,
      (ACCOUNT_REQUESTS * POSTS_SHARE) / framesOfAWatcher,
    ],
    [
      `pings every ${pingSeconds} s, at all of the account’s ${whole(ACCOUNT_REQUESTS)}`,
      ACCOUNT_REQUESTS * pingSeconds,
    ],
    [
      `pings every ${RARE_PING_SECONDS} s, at the socket stage’s ${whole(SOCKET_FRAMES)}`,
      SOCKET_FRAMES * RARE_PING_SECONDS,
    ],
    [
      `a ticket for each change of connection, at the HTTP stage’s ${whole(HTTP_REQUESTS)} a second`,
      HTTP_REQUESTS * CONNECTION_SECONDS,
    ],
    [
      `changes of connection, at ${whole(CONNECTS_PER_SECOND)} new ones a second`,
      CONNECTS_PER_SECOND * CONNECTION_SECONDS,
    ],
  ];
  const rows = walls.toSorted(([, one], [, other]) => one - other);
  return markdown(
    ['what is used up', 'by so many watchers'],
    rows.map(([wall, watchers]) => [wall, Math.floor(watchers).toLocaleString('en-US')]),
  );
}

/** Lambda runs this many invocations of publish for a shard at a time (infrastructure/publishing.ts). */
export const INVOCATIONS_OF_A_SHARD = 10;

/**
 * A new on-demand table has room for 4,000 writes a second: four partitions, each with a shard of the stream
 * (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/on-demand-capacity-mode.html).
 */
const FIRST_PARTITIONS = 4;

/** The most stream records of one invocation (infrastructure/publishing.ts, `batchSize`). */
const BATCH = 100;

function publishTable(): string {
  const { requestMs } = loadOf({});
  const queriesAndPosts = 2;
  const invocationMs = OWN_MILLISECONDS + queriesAndPosts * requestMs;
  return markdown(
    [
      'partitions of the jobs table',
      'invocations of publish at a time',
      'batches a second',
      'changes a second, at most',
      'writes of 1 KB that the partitions take',
    ],
    [1, FIRST_PARTITIONS, 40].map((partitions) => {
      const invocations = partitions * INVOCATIONS_OF_A_SHARD;
      const batches = (invocations * 1_000) / invocationMs;
      return [
        whole(partitions),
        whole(invocations),
        whole(batches),
        whole(batches * BATCH),
        whole(partitions * PARTITION_WRITES),
      ];
    }),
  );
}

function audienceTable(): string {
  return markdown(
    [
      'watchers of one job',
      'read units of one reading',
      'at one partition’s speed',
      `posted at ${whole(ACCOUNT_REQUESTS * POSTS_SHARE)} a second`,
      `at ${whole(ACCOUNT_REQUESTS)} a second`,
      'messages of one state',
    ],
    [1_000, 10_000, ...CROWDS.filter((watchers) => watchers > 10_000)].map((watchers) => {
      const units = Math.ceil(watchers / WATCHERS_IN_A_UNIT);
      return [
        whole(watchers),
        whole(units),
        duration(units / PARTITION_READS),
        duration(watchers / (ACCOUNT_REQUESTS * POSTS_SHARE)),
        duration(watchers / ACCOUNT_REQUESTS),
        money(watchers * costOf('socketMessages', 1)),
      ];
    }),
  );
}

function billsTable(): string {
  const { pingSeconds } = loadOf({});
  return markdown(
    [
      'connected around the clock',
      `push, pings every ${pingSeconds} s`,
      `push, pings every ${RARE_PING_SECONDS} s`,
      'polling every 5 s',
      'polling every 1 s',
      'IoT Core instead of push',
    ],
    CROWDS.map((watchers) => {
      const load = crowdLoad(watchers, pingSeconds);
      return [
        whole(watchers),
        money(billOf(load).push.dollars),
        money(billOf(crowdLoad(watchers, RARE_PING_SECONDS)).push.dollars),
        money(pollingDollars(load, 5)),
        money(pollingDollars(load, 1)),
        money(billOf(load, BROKER).broadcast?.dollars ?? 0),
      ];
    }),
  );
}
