import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { build } from 'esbuild';
import { describe, expect, it } from 'vitest';

/** The bytes that a browser loads for a module, as a bundler makes it and a server compresses it. */
async function gzipped(contents: string): Promise<number> {
  const { outputFiles } = await build({
    stdin: { contents, resolveDir: fileURLToPath(new URL('../../client/', import.meta.url)), loader: 'ts' },
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    write: false,
  });
  return gzipSync(outputFiles[0]?.contents ?? '', { level: 9 }).length;
}

describe('the size of the client, gzipped', () => {
  it('is at most 6 KB for watching: sockets, tabs, rotation, back-off, polling, states', async () => {
    const bytes = await gzipped("export { createWatchClient } from './watch-client.ts'");
    expect(bytes).toBeGreaterThan(3_000); // it is the client that is measured
    expect(bytes).toBeLessThanOrEqual(6 * 1024);
  });
});
