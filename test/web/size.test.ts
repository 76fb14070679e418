import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';
import { bundledPage } from '../browser/bundled-page.ts';

/** What the page may weigh, in bytes after gzip: 60 KB, a second on a slow phone's connection. */
const MOST = 60_000;

it('loads under 60 KB gzipped, all of it', async () => {
  const index = await readFile(fileURLToPath(new URL('../../web/index.html', import.meta.url)));
  const page = await bundledPage();
  const sizes = [index, ...page.values()].map((content) => gzipSync(content).length);
  expect([...page.keys()]).toEqual(expect.arrayContaining(['/main.js', '/main.css']));
  expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(MOST);
});

it('loads the words of a broker only where somebody asks for one', async () => {
  const scripts = [...(await bundledPage())].filter(([name]) => name.endsWith('.js'));
  const texts = new Map(scripts.map(([name, content]) => [name, new TextDecoder().decode(content)]));
  const [later, ...others] = scripts.map(([name]) => name).filter((name) => name !== '/main.js');
  expect(others).toEqual([]);
  expect(texts.get('/main.js')).toContain(`import(".${later}")`);
  expect(texts.get('/main.js')).not.toContain('mqtt');
  expect(texts.get(later ?? '')).toContain('mqtt');
});
