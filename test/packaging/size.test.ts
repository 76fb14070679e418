import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bundleModules } from '../../packaging/bundle.ts';

/** As `npm run build` makes it. */
let dist: string;
beforeAll(async () => {
  dist = await mkdtemp(path.join(tmpdir(), 'jobwire-size-'));
  await bundleModules(fileURLToPath(new URL('../..', import.meta.url)), dist);
});
afterAll(async () => {
  await rm(dist, { recursive: true, force: true });
});

/** The bytes that a browser loads for a module, as a bundler makes it and a server compresses it. */
async function gzipped(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: dist, loader: 'js' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

describe('the size of the client of the package, gzipped', () => {
  it('is at most 6 KB for watching: sockets, tabs, rotation, back-off, polling, states', async () => {
    const bytes = await gzipped("export { createWatchClient } from './client.js'");
    expect(bytes).toBeGreaterThan(3_000); // it is the client that is measured
    expect(bytes).toBeLessThanOrEqual(6 * 1024);
  });

  it('has no schema in it, also where no bundler takes away what is not used', async () => {
    const shared = await readdir(path.join(dist, 'shared'));
    const files = ['client.js', 'react.js', ...shared.map((name) => path.join('shared', name))];
    for (const file of files)
      expect(await readFile(path.join(dist, file), 'utf8')).not.toContain('~standard');
    expect(await readFile(path.join(dist, 'protocol.js'), 'utf8')).toContain('~standard');
  });
});
