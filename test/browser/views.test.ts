import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FakeApi } from './fake-api.ts';
import { launchBrowser } from './launch.ts';
import { VIEWS, type View } from './views.ts';

/** Where pictures of all views are put, for people to look at; without it none are taken. */
const PICTURES = process.env['JOBWIRE_PICTURES'];

const AXE = createRequire(import.meta.url).resolve('axe-core/axe.min.js');

const WIDTHS = { desktop: { width: 1360, height: 900 }, phone: { width: 390, height: 844 } } as const;

let browser: Browser;
beforeAll(async () => {
  browser = await launchBrowser();
  if (PICTURES !== undefined) await mkdir(PICTURES, { recursive: true });
}, 60_000);
afterAll(async () => {
  await browser.close();
});

async function show(view: View, then: (page: Page) => Promise<void>) {
  const api = await FakeApi.start();
  const context = await browser.newContext({ reducedMotion: 'reduce', bypassCSP: true });
  try {
    const page = await context.newPage();
    await view.show(page, api);
    await then(page);
  } finally {
    await context.close();
    await api[Symbol.asyncDispose]();
  }
}

/** What axe-core finds, in short: the rule and where. */
async function violations(page: Page): Promise<readonly string[]> {
  if ((await page.evaluate('typeof axe')) === 'undefined') await page.addScriptTag({ path: AXE });
  const found: unknown = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) =>
      violations.flatMap(({ id, nodes }) => nodes.map(({ target, failureSummary }) => id + ' at ' + target + ': ' + failureSummary)))`,
  );
  if (!Array.isArray(found)) throw new TypeError('axe-core answered no list');
  return found.map(String);
}

/** By how many pixels the page is wider than the window. */
async function overflow(page: Page): Promise<unknown> {
  return await page.evaluate('Math.max(0, document.documentElement.scrollWidth - innerWidth)');
}

describe.each(VIEWS)('$name', (view) => {
  it('is accessible in both colour schemes, on a desk and on a phone', async () => {
    await show(view, async (page) => {
      for (const [width, viewport] of Object.entries(WIDTHS)) {
        await page.setViewportSize(viewport);
        for (const colorScheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme });
          if (PICTURES !== undefined) {
            const file = path.join(PICTURES, `${view.name}-${width}-${colorScheme}.png`);
            // Beyond the window a line of the log is not drawn until it is scrolled to.
            const style = '.log-line { content-visibility: visible }';
            await page.screenshot({ path: file, fullPage: true, style });
          }
          expect([width, colorScheme, await violations(page)]).toEqual([width, colorScheme, []]);
        }
        expect([width, await overflow(page)]).toEqual([width, 0]);
      }
      // Where the reader wants no motion there is none.
      expect(await page.evaluate('document.getAnimations().length')).toBe(0);
      // 1280 pixels at 400 % (WCAG 1.4.10), and 200 % on a phone of 640.
      await page.setViewportSize({ width: 320, height: 640 });
      expect(await overflow(page)).toBe(0);
    });
  });
});
