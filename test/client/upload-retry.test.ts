import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { ProblemError, UnreachableError, UploadRefusedError } from '../../client/errors.ts';
import type { RequestLike } from '../../client/platform.ts';
import { uploadFile } from '../../client/upload.ts';
import { persist } from '../../client/upload-retry.ts';
import { problem } from '../../protocol/http.ts';
import { ManualClock } from './manual-clock.ts';

const SECOND = 1_000;

let clock: ManualClock;
let stop: AbortController;
let wakes: Set<() => void>;
/** When each attempt was made, in milliseconds. */
let attempts: number[];
/** What attempts fail with; without it they succeed. */
let failure: Error | undefined;
/** What is done in each attempt before that. */
let act: () => unknown;

beforeEach(() => {
  clock = new ManualClock();
  stop = new AbortController();
  wakes = new Set();
  attempts = [];
  act = () => {};
  failure = new UnreachableError('no answer');
});
afterEach(() => {
  vi.unstubAllGlobals();
  expect(wakes.size).toBe(0);
  expect(clock.pending).toBe(0);
});

/** Begins; every wait is of `random` of its longest. */
function begin(random: number): Promise<string> {
  const begun = clock.now();
  const platform = {
    clock,
    random: () => random,
    onWake: (callback: () => void) => {
      wakes.add(callback);
      return () => void wakes.delete(callback);
    },
  };
  const action = async () => {
    attempts.push(clock.now() - begun);
    await act();
    if (failure !== undefined) throw failure;
    return 'there';
  };
  const result = persist(platform, action, stop.signal);
  result.catch(() => {}); // each test looks at it in its own time
  return result;
}

/** Waits for attempt number `count`, and for the wait after it. */
async function settled(count: number): Promise<void> {
  await vi.waitUntil(() => attempts.length === count && clock.pending === 1, { interval: 1 });
}

/** Lets every wait run out until there is an end. */
async function runOut(result: Promise<string>): Promise<unknown> {
  let over = false;
  const end = result.catch((error: unknown) => error).finally(() => (over = true));
  while (!over) {
    clock.advance(clock.nextInMs ?? 0);
    await new Promise((resolve) => setImmediate(resolve)); // a wait begins some turns after the attempt before it
  }
  return await end;
}

function wake(): void {
  for (const callback of [...wakes]) callback();
}

it('gives up after some five minutes of waiting, with the error of the last attempt', async () => {
  expect(await runOut(begin(0.5))).toBe(failure);
  expect(attempts.slice(0, 4)).toEqual([0, 250, 750, 1_750]);
  const last = attempts.at(-1) ?? 0;
  expect(last).toBeGreaterThan(285 * SECOND);
  expect(last).toBeLessThan(315 * SECOND);
});

it('gives up after a hundred waits that are nothing', async () => {
  expect(await runOut(begin(0))).toBe(failure);
  expect(attempts).toHaveLength(101);
});

/** Of which no byte ever leaves, and which is never answered. */
class HangingRequest extends EventTarget implements RequestLike {
  readonly status = 0;
  readonly responseText = '';
  readonly upload = { addEventListener: () => {} }; // tells of no progress
  open(): void {}
  setRequestHeader(): void {}
  send(): void {}
  abort(): void {}
  getResponseHeader(): null {
    return null;
  }
}

const grant = { method: 'PUT', url: 'https://bucket.example/key', headers: {} } as const;

it('gives up within some minutes where the storage hangs, after it was tried again', async () => {
  const begun = clock.now();
  act = () => uploadFile({ clock, XMLHttpRequest: HangingRequest }, grant, new Blob(['a']), {});
  expect(await runOut(begin(0.5))).toBeInstanceOf(UnreachableError);
  expect(attempts).toHaveLength(3);
  expect(clock.now() - begun).toBeLessThan(9 * 60 * SECOND);
});

it.each([
  ['UND_ERR_HEADERS_TIMEOUT', 3],
  ['UND_ERR_BODY_TIMEOUT', 3],
  ['ECONNREFUSED', 101],
])('counts what a fetch of Node stood still for, too (%s)', async (code, count) => {
  const cause = Object.assign(new Error('what undici says'), { code });
  vi.stubGlobal('fetch', () => Promise.reject(new TypeError('fetch failed', { cause })));
  act = () => uploadFile({ clock }, grant, new Blob(['a']), {});
  expect(await runOut(begin(0))).toBeInstanceOf(UnreachableError);
  expect(attempts).toHaveLength(count);
});

it('does not lose patience by wakes, however many', async () => {
  const result = begin(1);
  for (let count = 1; count <= 100; count += 1) {
    await settled(count);
    wake();
  }
  await settled(101);
  failure = undefined;
  wake();
  expect(await result).toBe('there');
  expect(clock.now()).toBe(new ManualClock().now()); // no wait ran out
});

it('waits for as long as it was asked to, whoever wakes it', async () => {
  failure = new ProblemError(problem('rate-limited'), 20 * SECOND);
  const result = begin(1);
  await settled(1);
  wake();
  clock.advance(19 * SECOND);
  wake();
  expect(attempts).toHaveLength(1);
  failure = undefined;
  clock.advance(1 * SECOND);
  await vi.waitUntil(() => wakes.size === 1, { interval: 1 }); // the jitter that follows may be cut short
  wake();
  expect(await result).toBe('there');
  expect(attempts).toEqual([0, 20 * SECOND]);
});

it('gives up at once where it is asked to wait for longer than it would', async () => {
  failure = new ProblemError(problem('rate-limited'), 3_600 * SECOND);
  await expect(begin(1)).rejects.toBe(failure);
  expect(attempts).toEqual([0]);
});

it('counts no time that a laptop slept', async () => {
  const result = begin(1);
  await settled(1);
  clock.sleep(3_600 * SECOND);
  wake();
  await settled(2);
  failure = undefined;
  wake();
  expect(await result).toBe('there');
});

it('does not try when the network has just gone', async () => {
  const result = begin(1);
  await settled(1);
  vi.stubGlobal('navigator', { onLine: false });
  wake();
  expect(attempts).toHaveLength(1);
  vi.stubGlobal('navigator', { onLine: true });
  failure = undefined;
  wake();
  expect(await result).toBe('there');
});

it.each([0, 20 * SECOND])('ends at an abort with its reason, in any wait (%d)', async (retryAfterMs) => {
  failure = new ProblemError(problem('rate-limited'), retryAfterMs);
  const result = begin(1);
  await settled(1);
  stop.abort(new Error('enough'));
  await expect(result).rejects.toThrow('enough');
});

it.each([
  new UploadRefusedError(403, 'AccessDenied'),
  new ProblemError(problem('conflict')),
  new TypeError('a fault of ours'),
])('tries once what does not pass by itself ($name)', async (error) => {
  failure = error;
  await expect(begin(1)).rejects.toBe(error);
  expect(attempts).toEqual([0]);
});
