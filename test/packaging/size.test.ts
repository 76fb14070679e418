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

/** The bytes that a browser loads of a module, as a bundler makes it and a server compresses it. */
interface Loaded {
  /** With the module itself, whatever it imports included. */
  readonly atOnce: number;
  /** When it is wanted, by a dynamic import. */
  readonly later: number;
}

async function gzipped(contents: string): Promise<Loaded> {
  const { metafile, outputFiles } = await build({
    stdin: { contents, resolveDir: dist, loader: 'js' },
    bundle: true,
    minify: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    outdir: dist,
    absWorkingDir: dist,
    write: false,
    metafile: true,
  });
  const atOnce = new Set(['stdin.js']);
  for (const name of atOnce) {
    const imports = metafile.outputs[name]?.imports ?? [];
    for (const { kind, path: imported } of imports) if (kind === 'import-statement') atOnce.add(imported);
  }
  const bytes = { atOnce: 0, later: 0 };
  for (const file of outputFiles) {
    const { length } = gzipSync(file.contents, { level: 9 });
    bytes[atOnce.has(path.relative(dist, file.path).split(path.sep).join('/')) ? 'atOnce' : 'later'] +=
      length;
  }
  return bytes;
}

describe('the size of the client of the package, gzipped', () => {
  it('is at most 6 KB for watching: sockets, tabs, rotation, back-off, polling, states', async () => {
    const { atOnce, later } = await gzipped("export { createWatchClient } from './client.js'");
    expect(atOnce).toBeGreaterThan(3_000); // it is the client that is measured
    expect(atOnce).toBeLessThanOrEqual(6 * 1024);
    // What hears a broadcast is loaded where somebody watches by it.
    expect(later).toBeGreaterThan(1_000);
    expect(later).toBeLessThanOrEqual(3 * 1024);
  });

  it('has no schema in it, also where no bundler takes away what is not used', async () => {
    const shared = await readdir(path.join(dist, 'shared'));
    const files = ['client.js', 'react.js', ...shared.map((name) => path.join('shared', name))];
    for (const file of files)
      expect(await readFile(path.join(dist, file), 'utf8')).not.toContain('~standard');
    expect(await readFile(path.join(dist, 'protocol.js'), 'utf8')).toContain('~standard');
  });
});
