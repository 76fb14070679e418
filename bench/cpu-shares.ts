import { type Profiler, Session } from 'node:inspector/promises';

/** What the gateway does in a broadcast. */
export type Occupation =
  | 'signature and permission'
  | 'WebSocket send'
  | 'HTTP and sockets'
  | 'gateway'
  | 'garbage collection'
  | 'native code';

/** Parts of the busy time, from 0 to 1, that add up to 1. */
export type CpuShares = Readonly<Record<Occupation, number>>;

let session: Session | undefined;

/** Begins to look, every 200 microseconds, what this process is doing. */
export async function beginProfile(): Promise<void> {
  session = new Session();
  session.connect();
  await session.post('Profiler.enable');
  await session.post('Profiler.setSamplingInterval', { interval: 200 });
  await session.post('Profiler.start');
}

/** Ends it, and answers with what it was. */
export async function endProfile(): Promise<CpuShares> {
  if (session === undefined) throw new TypeError('beginProfile comes first');
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  session = undefined;
  return sharesOf(profile);
}

/** Attributes each sample to the innermost of our parts on its stack; idle time does not count. */
export function sharesOf(profile: Profiler.Profile): CpuShares {
  const nodes = new Map(profile.nodes.map((node) => [node.id, node]));
  const parents = new Map(
    profile.nodes.flatMap(({ id, children = [] }) => children.map((child) => [child, id])),
  );
  const microseconds: Record<Occupation, number> = {
    'signature and permission': 0,
    'WebSocket send': 0,
    'HTTP and sockets': 0,
    gateway: 0,
    'garbage collection': 0,
    'native code': 0,
  };
  (profile.samples ?? []).forEach((sample, index) => {
    const frames: Profiler.ProfileNode['callFrame'][] = [];
    for (let node = nodes.get(sample); node !== undefined; node = nodes.get(parents.get(node.id) ?? -1)) {
      frames.push(node.callFrame);
    }
    const occupation = occupationOf(frames);
    if (occupation !== undefined) microseconds[occupation] += profile.timeDeltas?.[index] ?? 0;
  });
  const busy = Object.values(microseconds).reduce((sum, part) => sum + part, 0);
  // The same keys.
  return Object.fromEntries(
    Object.entries(microseconds).map(([name, part]) => [name, busy === 0 ? 0 : part / busy]),
  ) as Record<Occupation, number>;
}

/** `frames` from the innermost. */
function occupationOf(
  frames: readonly { readonly functionName: string; readonly url: string }[],
): Occupation | undefined {
  const [innermost] = frames;
  if (innermost === undefined || innermost.functionName === '(idle)') return undefined;
  if (innermost.functionName === '(garbage collector)') return 'garbage collection';
  if (innermost.functionName === '(program)') return 'native code';
  if (frames.some(({ url }) => url.includes('/local/permissions/'))) return 'signature and permission';
  const sends = frames.some(
    ({ url }) => url.includes('/node_modules/ws/') || url.endsWith('/websocket-connection.ts'),
  );
  if (sends) return 'WebSocket send';
  return innermost.url.includes('/local/') ? 'gateway' : 'HTTP and sockets';
}
