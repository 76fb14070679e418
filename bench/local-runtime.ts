import { StartError } from '../local/errors.ts';
import { claimPorts } from '../local/runtime/ports.ts';
import { startChild } from './child-process.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import type { RuntimeFacts, RuntimeProcess } from './runtime-process.ts';

/** Where the ports of the benchmarks' own runtime begin; those of `npm start` may be in use meanwhile. */
const FIRST_PORT = 8_480;

/** Two benchmarks may run at a time, and then some; ten ports each. */
const LAST_PORT = 8_980;

/** A local runtime in a process of its own. */
export interface LocalRuntime extends RuntimeFacts {
  /** Ends it, its database included, and removes its state. */
  close(): Promise<void>;
}

/** While it is set, everybody gets this one. */
let shared: { running: Promise<LocalRuntime> | undefined } | undefined;

/**
 * Starts the whole template in a process of its own; takes some ten seconds, most of them to synthesize it. Between
 * `shareLocalRuntime` and its end it is the one that somebody has started already.
 */
export async function startLocalRuntime(): Promise<LocalRuntime> {
  if (shared === undefined) return await start();
  shared.running ??= start();
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

async function start(): Promise<LocalRuntime> {
  const folder = await makeTemporaryFolder();
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
      ...(await child.call('start', { stateDirectory: folder.path, firstPort: await freePorts() })),
      close,
    };
  } catch (error) {
    await close().catch(() => {
      // Why it did not start is what counts; its process has ended either way.
    });
    throw error;
  }
}

/** The first of several free ports in a row. */
async function freePorts(): Promise<number> {
  for (let first = FIRST_PORT; ; first += 10) {
    try {
      await claimPorts(first);
      return first;
    } catch (error) {
      if (!(error instanceof StartError) || first >= LAST_PORT) throw error;
    }
  }
}
