import { inspect } from 'node:util';
import { StartError } from '../errors.ts';
import type { Principal, Principals } from '../permissions/principal.ts';
import type { RunningSecretsManager } from '../services/secrets-manager.ts';
import type { StaticSite } from '../services/static-site.ts';
import { readPage } from '../template/read-page.ts';
import type { Build } from './build.ts';
import type { FunctionFleet } from './function-fleet.ts';

/** What a rebuild reads, and what it changes. */
export interface RebuildSettings {
  readonly build: Build;
  readonly secrets: RunningSecretsManager;
  readonly functions: FunctionFleet;
  readonly principals: Principals;
  readonly owner: Principal;
  readonly page: StaticSite;
  readonly log: (line: string) => void;
}

/**
 * What is to be done when sources have changed: synthesizes again, and runs what is new. It never rejects:
 * where the sources do not compile the log says why, and what ran goes on running.
 */
export function rebuildOnChange(settings: RebuildSettings): (sources: readonly string[]) => Promise<void> {
  const { log } = settings;
  return async (sources) => {
    log(`changed: ${sources.join(', ')}`);
    try {
      await rebuild(settings);
      // Routes, tables, queues and rules were made at the start; functions and the page alone are replaced.
      if (sources.some((source) => /^infrastructure[/\\]/.test(source))) {
        log('functions and the page follow infrastructure/ at once; everything else with the next start');
      }
    } catch (error) {
      log(`${error instanceof StartError ? error.message : inspect(error)}\nwhat ran before goes on running`);
    }
  };
}

async function rebuild({ build, secrets, functions, principals, owner, page, log }: RebuildSettings) {
  const next = await build.synthesize();
  next.secretNames.resolve((name) => secrets.secretArn(name));
  const { files } = await readPage(next.stack);
  const restarted = functions.replace(next.stack);
  principals.replace([owner, ...functions.principals]);
  const pageIsNew = page.replace(files);
  if (restarted.length > 0) log(`restarted: ${restarted.join(', ')}`);
  if (pageIsNew) log('the page is new: reload it');
  if (restarted.length === 0 && !pageIsNew) log('nothing that runs is different');
}
