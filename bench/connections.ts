import { type Child, type ChildApi, startChild } from './child-process.ts';
import type { Clients } from './clients-process.ts';
import type { BareServer, ConnectionsServer, GatewayServer } from './connections-server.ts';
import type { CpuShares } from './cpu-shares.ts';
import { type Figure, type Measure, requireInvariant } from './measure.ts';
import { requireOpenFiles } from './open-files.ts';
import type { Poster } from './poster-process.ts';
import { alternate, type Summary } from './rounds.ts';

/** How much is measured. */
interface Load {
  /** Open before memory is looked at first: what the first sockets bring into being is not a socket's cost. */
  readonly before: number;
  readonly sockets: number;
  readonly rounds: number;
}

const FULL: Load = { before: 1_000, sockets: 10_000, rounds: 3 };
/** Sockets that a broadcast goes to, unless the load is tiny. */
export const AUDIENCE = FULL.before + FULL.sockets;

const QUICK: Load = { before: 20, sockets: 100, rounds: 1 };

type Metric = 'resident' | 'held' | 'connects' | 'frames';

/** The least that a socket can take, in bytes: the system's own part of it is not in a process's memory. */
const LEAST_BYTES = 100;

/** About what a job of a few steps takes, in bytes of ASCII; a frame of it has a header of four bytes. */
const FRAME = JSON.stringify({ type: 'job', job: 'x'.repeat(600) });
const FRAME_BYTES = FRAME.length + 4;

/** Sockets on the local gateway, beside the same on a bare `ws`. */
export const connections: Measure = {
  name: 'connections',
  summary: '10,000 sockets on the local gateway and on a bare ws: memory, connect rate, broadcast rate',
  async run({ quick, signal, log }) {
    const load = quick ? QUICK : FULL;
    requireOpenFiles(load.before + load.sockets);
    let shares: CpuShares | undefined;
    const { gateway, bare } = await alternate(
      {
        gateway: async () => {
          const round = await measureGateway(load);
          shares = round.shares;
          return round.metrics;
        },
        bare: () => measureBare(load),
      },
      { rounds: load.rounds, warmUps: 0, signal, log },
    );
    requireInvariant(shares !== undefined, 'No round was measured');
    const figures: Figure[] = [
      beside('memory of a connection, resident', 'KB', gateway.resident, bare.resident),
      beside('memory of a connection, held by JavaScript', 'KB', gateway.held, bare.held),
      beside('connects', '/s', gateway.connects, bare.connects),
      beside('broadcast: signed posts and a send loop', 'frames/s', gateway.frames, bare.frames),
      ...Object.entries(shares).map(
        ([name, value]): Figure => ({ name: `broadcast profile: ${name}`, unit: '%', value: value * 100 }),
      ),
    ];
    return {
      figures,
      ratios: {
        memoryOursToWs: gateway.resident.median / bare.resident.median,
        heldMemoryOursToWs: gateway.held.median / bare.held.median,
      },
    };
  },
};

function beside(name: string, unit: string, ours: Summary, theirs: Summary): Figure {
  return {
    name,
    unit,
    value: ours.median,
    spread: ours.spread,
    baseline: { name: 'bare ws', value: theirs.median },
    ratio: ours.median / theirs.median,
  };
}

async function measureGateway(
  load: Load,
): Promise<{ readonly metrics: Record<Metric, number>; readonly shares: CpuShares }> {
  const poster = startChild<Poster>(new URL('poster-process.ts', import.meta.url));
  try {
    return await withServer<GatewayServer, { metrics: Record<Metric, number>; shares: CpuShares }>(
      'gateway-process.ts',
      async (server, clients) => {
        const opened = await openSockets(load, server, clients);
        const { connections: ids, ...access } = await server.call('posting');
        await poster.call('prepare', access);
        const post = async () => {
          const received = clients.call('received', FRAME_BYTES);
          await Promise.all([poster.call('post', { connections: ids, frame: FRAME }), received]);
        };
        // The first one is for code that has not run yet.
        await post();
        const seconds = await timed(post);
        // Apart, because looking takes time itself.
        await server.call('beginProfile');
        await post();
        const shares = await server.call('endProfile');
        return { metrics: { ...opened, frames: ids.length / seconds }, shares };
      },
    );
  } finally {
    await poster.end();
  }
}

function measureBare(load: Load): Promise<Record<Metric, number>> {
  return withServer<BareServer, Record<Metric, number>>('bare-process.ts', async (server, clients) => {
    const opened = await openSockets(load, server, clients);
    const broadcast = async () => {
      await Promise.all([server.call('broadcast', FRAME), clients.call('received', FRAME_BYTES)]);
    };
    await broadcast();
    const seconds = await timed(broadcast);
    return { ...opened, frames: (load.before + load.sockets) / seconds };
  });
}

/** Runs with a server and clients that nobody else has, and ends both. */
async function withServer<Server extends ChildApi<Server>, Result>(
  module: string,
  use: (server: Child<Server>, clients: Child<Clients>) => Promise<Result>,
): Promise<Result> {
  const server = startChild<Server>(new URL(module, import.meta.url), { nodeOptions: ['--expose-gc'] });
  const clients = startChild<Clients>(new URL('clients-process.ts', import.meta.url));
  try {
    return await use(server, clients);
  } finally {
    // The clients first: a server that waits for the ends of ten thousand sockets takes its time.
    await clients.end();
    await server.end();
  }
}

async function openSockets(
  { before, sockets }: Load,
  server: Child<ConnectionsServer>,
  clients: Child<Clients>,
): Promise<Record<'resident' | 'held' | 'connects', number>> {
  const where = await server.call('start');
  await clients.call('connect', { ...where, count: before });
  const first = await server.call('memory');
  const seconds = await timed(() => clients.call('connect', { ...where, count: sockets }));
  const second = await server.call('memory');
  const open = await server.call('open');
  requireInvariant(open === before + sockets, `${open} sockets are open instead of ${before + sockets}`);
  // Of few sockets nothing is left beside what the process gives back meanwhile; a ratio needs more than nothing.
  const kilobytes = (part: 'resident' | 'held') =>
    Math.max(LEAST_BYTES, (second[part] - first[part]) / sockets) / 1024;
  return { resident: kilobytes('resident'), held: kilobytes('held'), connects: sockets / seconds };
}

async function timed(run: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await run();
  return (performance.now() - begun) / 1000;
}
