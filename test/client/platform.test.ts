import { afterEach, expect, it, vi } from 'vitest';
import { systemClock } from '../../client/clock.ts';
import { surroundingPlatform } from '../../client/platform.ts';

/* What the client takes from a browser, played by Node's own EventTarget. */

afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** A page whose window hears events. */
function openPage() {
  const page = new EventTarget();
  const document = { hidden: false };
  vi.stubGlobal('addEventListener', page.addEventListener.bind(page));
  vi.stubGlobal('document', document);
  return { document, happen: (type: string) => page.dispatchEvent(new Event(type)) };
}

it.each(['online', 'offline', 'visibilitychange'])('wakes at %s, until it is stopped', (type) => {
  const { happen } = openPage();
  const wake = vi.fn();
  const stop = surroundingPlatform().onWake(wake);
  happen(type);
  expect(wake).toHaveBeenCalledTimes(1);
  stop();
  happen(type);
  expect(wake).toHaveBeenCalledTimes(1);
});

it('sleeps on while nobody looks', () => {
  const { document, happen } = openPage();
  const wake = vi.fn();
  const stop = surroundingPlatform().onWake(wake);
  document.hidden = true;
  for (const type of ['online', 'visibilitychange']) happen(type);
  expect(wake).not.toHaveBeenCalled();
  document.hidden = false;
  happen('visibilitychange');
  expect(wake).toHaveBeenCalledTimes(1);
  stop();
});

it('shares by locks in a page alone, since Node has locks but no tabs', () => {
  expect(surroundingPlatform().locks).toBeUndefined();
  openPage();
  expect(surroundingPlatform().locks).toBe(navigator.locks);
});

it.each([30 * 24 * 60 * 60_000, Infinity])(
  'waits %d milliseconds, which no timer of the machine can',
  (delayMs) => {
    vi.useFakeTimers();
    const callback = vi.fn();
    const timer = systemClock.schedule(delayMs, callback);
    vi.advanceTimersByTime(24 * 60 * 60_000);
    expect(callback).not.toHaveBeenCalled();
    timer.cancel();
    expect(vi.getTimerCount()).toBe(0);
  },
);
