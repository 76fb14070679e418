import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { Arrivals } from '../../web/arrivals.ts';

const FRAME_MS = 16;

let visibilityState: 'visible' | 'hidden';
beforeEach(() => {
  visibilityState = 'visible';
  vi.useFakeTimers();
  vi.stubGlobal('document', {
    get visibilityState() {
      return visibilityState;
    },
  });
  vi.stubGlobal('requestAnimationFrame', (run: () => void) =>
    Number(setTimeout(run, FRAME_MS - (Date.now() % FRAME_MS))),
  );
  vi.stubGlobal('cancelAnimationFrame', (id: number) => clearTimeout(id));
});
afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** Lets a state arrive each millisecond; answers how often that was drawn. */
function drawingsOf(milliseconds: number): number {
  let drawings = 0;
  const arrivals = new Arrivals(() => {
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
  const drawings = drawingsOf(3_200);
  expect(drawings).toBeLessThanOrEqual(3_200 / FRAME_MS + 1);
  expect(drawings).toBeGreaterThanOrEqual(3_200 / FRAME_MS - 1);
});

it('follows a few times a second while the page is hidden', () => {
  visibilityState = 'hidden';
  expect(drawingsOf(3_200)).toBe(13);
});
