import type { Page } from 'playwright-core';

/**
 * Runs in the page: notes what moves without anybody having touched it, in words. A line of the log that makes room
 * for a newer one is no news.
 */
const WATCH = `(() => {
  window.shifts = [];
  const place = ({ x, y, width, height }) => [x, y, width, height].map(Math.round).join(' ');
  new PerformanceObserver((list) => {
    for (const { sources } of list.getEntries()) {
      for (const { node, previousRect, currentRect } of sources) {
        const element = node?.nodeType === 1 ? node : node?.parentElement;
        if (element?.closest('.log')) continue;
        shifts.push([element?.className, node?.textContent, place(previousRect), place(currentRect)].join(', '));
      }
    }
  }).observe({ type: 'layout-shift', buffered: true });
})()`;

/** Begins to note every layout shift of a page that is open: https://web.dev/articles/cls. */
export async function watchLayoutShifts(page: Page): Promise<void> {
  await page.evaluate(WATCH);
}

/** What has moved since the last time; the frame that is being drawn is waited for. */
export async function layoutShifts(page: Page): Promise<unknown> {
  return await page.evaluate(`new Promise((resolve) => {
    requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => resolve(shifts.splice(0)))));
  })`);
}
