import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, inject, it } from 'vitest';
import { MEASURES } from '../../bench/measures.ts';
import { readResults } from '../../bench/results.ts';
import { TARGETS } from '../../bench/targets.ts';

const COMMAND = fileURLToPath(new URL('../../bench/main.ts', import.meta.url));

it('runs every measure with a tiny load, holds its invariants, and writes the ratios that matter', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'jobwire-quick-'));
  try {
    const file = path.join(folder, 'results.json');
    // Rejects, with what was printed, unless every invariant held.
    const { stdout } = await promisify(execFile)(process.execPath, [COMMAND, '--quick', '--out', file], {
      env: { ...process.env, JOBWIRE_ASSEMBLIES: inject('assemblies') },
    });
    const results = await readResults(file);
    expect(results?.quick).toBe(true);
    for (const { name } of MEASURES) {
      const { figures = [], ratios = {} } = results?.measures[name] ?? {};
      expect(figures.length, name).toBeGreaterThan(0);
      // The file's schema takes finite numbers alone; how large they are a tiny load cannot tell.
      expect(Object.keys(ratios), name).toEqual(expect.arrayContaining(Object.keys(TARGETS[name])));
      for (const ratio of Object.keys(ratios)) expect(stdout).toContain(`${name}.${ratio}`);
    }
  } finally {
    await rm(folder, { recursive: true });
  }
});
