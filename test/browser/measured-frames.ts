import type { Browser, Page } from 'playwright-core';
import * as v from 'valibot';

/** How a page's frames went. */
export interface MeasuredFrames {
  /** The longest time between two animation frames, in milliseconds: what a viewer sees, on this machine, just now. */
  readonly longest: number;
  /**
   * The most processor time that the page's main thread took between two animation frames, in milliseconds: what
   * the page itself does to its frames, however much else the machine has to do.
   */
  readonly busiest: number;
}

/** Keeps frames coming and marks them; without, a browser draws none where nothing changes. */
const FRAMES = `(function frame() {
  performance.mark('frame');
  requestAnimationFrame(frame);
})()`;

/** Where Chromium tells of tasks and marks; what it tells of more, it would tell for minutes. */
const CATEGORIES = ['-*', 'toplevel', 'blink.user_timing'];

/** Trace Event Format: times in microseconds, `tdur` of the thread's own clock. */
const TaskSchema = v.object({
  name: v.literal('ThreadControllerImpl::RunTask'),
  tid: v.number(),
  pid: v.number(),
  ts: v.number(),
  tdur: v.number(),
});
const FrameSchema = v.object({
  name: v.literal('frame'),
  tid: v.number(),
  pid: v.number(),
  ts: v.number(),
});
const TraceSchema = v.object({ traceEvents: v.array(v.unknown()) });

/** Measures the frames of the one visible page of a browser while something happens. */
export async function measureFrames(
  browser: Browser,
  page: Page,
  whatHappens: () => Promise<void>,
): Promise<MeasuredFrames> {
  await page.evaluate(FRAMES);
  await browser.startTracing(page, { categories: CATEGORIES });
  let trace: Buffer;
  try {
    await whatHappens();
  } finally {
    trace = await browser.stopTracing();
  }
  return framesOf(v.parse(TraceSchema, JSON.parse(trace.toString('utf8'))).traceEvents);
}

function framesOf(events: readonly unknown[]): MeasuredFrames {
  const frames = events.filter((event) => v.is(FrameSchema, event)).sort(byTime);
  const [first] = frames;
  if (first === undefined) throw new Error('the page drew no frame');
  const tasks = events
    .filter((event) => v.is(TaskSchema, event))
    .filter(({ pid, tid }) => pid === first.pid && tid === first.tid)
    .sort(byTime);
  let next = 0;
  let longest = 0;
  let busiest = 0;
  for (const [index, { ts }] of frames.entries()) {
    let busy = 0;
    for (let task = tasks[next]; task !== undefined && task.ts < ts; task = tasks[next]) {
      busy += task.tdur / 1000;
      next += 1;
    }
    longest = Math.max(longest, (ts - (frames[index - 1]?.ts ?? ts)) / 1000);
    busiest = Math.max(busiest, busy);
  }
  return { longest, busiest };
}

function byTime(one: { readonly ts: number }, other: { readonly ts: number }): number {
  return one.ts - other.ts;
}
