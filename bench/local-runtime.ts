import { startChild } from './child-process.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import type { RuntimeFacts, RuntimeProcess, RuntimeWork } from './runtime-process.ts';

/** A local runtime in a process of its own. */
export interface LocalRuntime extends RuntimeFacts {
  /** What functions and S3 have done since it was last asked. */
  takeWork(): Promise<RuntimeWork>;
  /** Ends it, its database included, and removes its state. */
  close(): Promise<void>;
}

/** Where the ports of the benchmarks' own runtimes begin; those of `npm start` may be in use meanwhile. */
const FIRST_PORT = 8_480;

/** Between those of two that one process starts one behind the other, or at a time. */
const PORTS_APART = 120;

let started = 0;

/** While it is set, everybody gets this one. */
let shared: { running: Promise<LocalRuntime> | undefined } | undefined;

/**
 * Starts the whole template in a process of its own; takes some ten seconds, most of them to synthesize it. Between
 * `shareLocalRuntime` and its end it is the one that somebody has started already, unless `context` asks for another
 * variant (settings by their names in infrastructure/settings.ts).
 */
export async function startLocalRuntime(
  context: Readonly<Record<string, string>> = {},
): Promise<LocalRuntime> {
  if (shared === undefined || Object.keys(context).length > 0) return await start(context);
  shared.running ??= start({});
  return { ...(await shared.running), close: () => Promise.resolve() };
}

/** From now on one runtime serves all who start one, for loads that do not mind what others left; answers how to end it. */
export function shareLocalRuntime(): () => Promise<void> {
  const sharing: typeof shared = { running: undefined };
  shared = sharing;
  return async () => {
    shared = undefined;
    // Why it did not start has been told to who wanted it.
    const runtime = await sharing.running?.catch(() => undefined);
    await runtime?.close();
  };
}

async function start(context: Readonly<Record<string, string>>): Promise<LocalRuntime> {
  const folder = await makeTemporaryFolder();
  const portsFrom = FIRST_PORT + (started % 4) * PORTS_APART;
  started += 1;
  const child = startChild<RuntimeProcess>(new URL('runtime-process.ts', import.meta.url));
  const close = async () => {
    try {
      await child.call('close');
    } finally {
      await child.end();
      await folder.remove();
    }
  };
  try {
    return {
      ...(await child.call('start', { stateDirectory: folder.path, context, portsFrom })),
      takeWork: () => child.call('takeWork'),
      close,
    };
  } catch (error) {
    await close().catch(() => {
      // Why it did not start is what counts; its process has ended either way.
    });
    throw error;
  }
}
