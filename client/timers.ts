import type { Clock, Timer } from './clock.ts';

/** What one part of the client waits for, each by a name of its own. */
export interface Timers {
  /** Runs `callback` once in `delayMs` milliseconds, in place of what the name waited for before. */
  set(name: string, delayMs: number, callback: () => void): void;
  /** Forgets what the name waits for; whether it waited for anything. */
  cancel(name: string): boolean;
  /** Forgets everything. */
  clear(): void;
}

/** See `Timers`. */
export function createTimers(clock: Clock): Timers {
  const timers = new Map<string, Timer>();

  function cancel(name: string): boolean {
    timers.get(name)?.cancel();
    return timers.delete(name);
  }

  return {
    set(name, delayMs, callback) {
      cancel(name);
      timers.set(
        name,
        clock.schedule(delayMs, () => {
          timers.delete(name);
          callback();
        }),
      );
    },
    cancel,
    clear() {
      for (const name of timers.keys()) cancel(name);
    },
  };
}
