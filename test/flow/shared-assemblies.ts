import { mkdtempSync } from 'node:fs';
import { readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  interface ProvidedContext {
    /** The folder where the starts of one run leave what they synthesized; see `RuntimeSettings`. */
    readonly assemblies: string;
  }
}

/**
 * A global setup: one folder of assemblies for all projects of a run, so that each combination of settings is
 * synthesized once. While vitest watches, a change of any source empties it.
 */
export default function shareAssemblies(project: TestProject): (() => Promise<void>) | undefined {
  const root = project.vitest.getRootProject();
  if ('assemblies' in root.getProvidedContext()) return undefined;
  const folder = mkdtempSync(path.join(tmpdir(), 'jobwire-assemblies-'));
  root.provide('assemblies', folder);
  project.onTestsRerun(async () => {
    for (const name of await readdir(folder)) await rm(path.join(folder, name), { recursive: true });
  });
  return () => rm(folder, { recursive: true, force: true });
}
