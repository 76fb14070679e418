import path from 'node:path';
import { watch } from 'chokidar';
import { type Clock, systemClock, type Timer } from './clock.ts';
import { StartError } from './errors.ts';

/** What is quiet for this long after a change has been saved: editors write several files, one after another. */
const QUIET_MS = 150;

/** Settings of `watchSources`. */
export interface SourceWatcherSettings {
  /** Absolute path of the project. */
  readonly project: string;
  /** The folders that the template is made of, relative to the project. */
  readonly folders: readonly string[];
  /** Called after changes, never while it still runs; its failure must be its own business. */
  readonly onChange: (files: readonly string[]) => Promise<void>;
  readonly log: (line: string) => void;
  readonly clock?: Clock;
}

/**
 * Watches source folders. Resolves once changes are seen; `close` waits for a running `onChange`.
 * @throws StartError when the system does not let us, such as beyond its number of watched files.
 */
export async function watchSources(settings: SourceWatcherSettings): Promise<{ close(): Promise<void> }> {
  const clock = settings.clock ?? systemClock;
  const changed = new Set<string>();
  let timer: Timer | undefined;
  let running: Promise<void> = Promise.resolve();
  const watcher = watch(
    settings.folders.map((folder) => path.join(settings.project, folder)),
    { ignoreInitial: true },
  );
  watcher.on('all', (_event, file) => {
    changed.add(path.relative(settings.project, file));
    timer?.cancel();
    timer = clock.schedule(QUIET_MS, () => {
      running = running.then(async () => {
        const files = [...changed];
        changed.clear();
        if (files.length > 0) await settings.onChange(files);
      });
    });
  });
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve);
    watcher.once('error', reject);
  }).catch(async (cause: unknown) => {
    await watcher.close();
    throw new StartError(
      `The sources cannot be watched (${detailOf(cause)}). Start without: npm start -- --no-watch`,
      { cause },
    );
  });
  watcher.on('error', (error) => settings.log(`the sources are no longer watched well: ${detailOf(error)}`));
  return {
    async close() {
      timer?.cancel();
      await watcher.close();
      await running;
    },
  };
}

function detailOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
