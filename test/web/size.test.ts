import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundledPage } from '../browser/bundled-page.ts';

/** What the page may weigh, in bytes after gzip: 60 KB, a second on a slow phone's connection. */
const MOST = 60_000;

it('loads under 60 KB gzipped, all of it', async () => {
  const index = await readFile(fileURLToPath(new URL('../../web/index.html', import.meta.url)));
  const sizes = [index, ...(await bundledPage()).values()].map((content) => gzipSync(content).length);
  expect(sizes).toHaveLength(3);
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST);
});
