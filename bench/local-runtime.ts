import { startChild } from './child-process.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import type { RuntimeFacts, RuntimeProcess } from './runtime-process.ts';

/** The first port of the benchmarks' own runtime; those of `npm start` may be in use meanwhile. */
const FIRST_PORT = 8_480;

/** A local runtime in a process of its own. */
export interface LocalRuntime extends RuntimeFacts {
  /** Ends it, its database included, and removes its state. */
  close(): Promise<void>;
}

/**
 * Starts the whole template in a process of its own; takes some ten seconds, most of them to synthesize it.
 * `nodeOptions` are for profiles, such as `--cpu-prof`.
 */
export async function startLocalRuntime(nodeOptions: readonly string[] = []): Promise<LocalRuntime> {
  const folder = await makeTemporaryFolder();
  const child = startChild<RuntimeProcess>(new URL('runtime-process.ts', import.meta.url), { nodeOptions });
  const close = async () => {
    try {
      await child.call('close');
    } finally {
      await child.end();
      await folder.remove();
    }
  };
  try {
    return { ...(await child.call('start', { stateDirectory: folder.path, firstPort: FIRST_PORT })), close };
  } catch (error) {
    await close().catch(() => {
      // Why it did not start is what counts; its process has ended either way.
    });
    throw error;
  }
}
