import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Arrivals } from '../../web/arrivals.ts';

const FRAME_MS = 16;

beforeEach(() => {
  vi.useFakeTimers({ now: 0 });
});
afterEach(() => {
  vi.useRealTimers();
});

/** Lets a state arrive each millisecond; answers how often that was drawn. */
function drawingsOf(milliseconds: number, visible: boolean): number {
  let drawings = 0;
  const frames = {
    request: (run: () => void) =>
      visible ? Number(setTimeout(run, FRAME_MS - (Date.now() % FRAME_MS))) : undefined,
    cancel: (frame: number) => clearTimeout(frame),
  };
  const arrivals = new Arrivals(frames, () => {
    drawings += 1;
  });
  for (let passed = 0; passed < milliseconds; passed += 1) {
    arrivals.note();
    vi.advanceTimersByTime(1);
  }
  vi.advanceTimersByTime(1_000);
  return drawings;
}

it('draws once a frame, however long a burst lasts', () => {
  expect(drawingsOf(3_200, true)).toBe(3_200 / FRAME_MS);
});

it('follows a few times a second while the page is hidden', () => {
  expect(drawingsOf(3_200, false)).toBe(13);
});
