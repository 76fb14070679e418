import type { Clock, Timer } from './clock.ts';

/**
 * A request of which no byte has left for so many whole turns of so many milliseconds, two minutes, is taken for
 * broken: a router that has forgotten the connection answers nothing, and XMLHttpRequest has no limit of its own. That
 * is longer than the last bytes lie in the system's buffers on a slow line: 4 MB, the most that Linux keeps unless it
 * is told (tcp(7), `tcp_wmem`), take a minute at 0.5 Mbit/s. In turns, so that the hours that a laptop sleeps are one.
 */
const STALL_TURNS = 4;
const STALL_TURN_MS = 30_000;

/** Calls once when nothing has moved for too long. (`fetch` of Node needs none: it gives up after five minutes.) */
export class StallTimer {
  readonly #clock: Clock;
  readonly #stalled: () => void;
  /** Turns that have begun since something moved; the first of them is not a whole one. */
  #turns = 0;
  #timer: Timer | undefined;

  constructor(clock: Clock, stalled: () => void) {
    this.#clock = clock;
    this.#stalled = stalled;
    this.#wait();
  }

  /** Bytes have left. */
  moved(): void {
    this.#turns = 0;
  }

  /** Forgets it. */
  cancel(): void {
    this.#timer?.cancel();
  }

  #wait(): void {
    this.#timer = this.#clock.schedule(STALL_TURN_MS, () => {
      this.#turns += 1;
      if (this.#turns > STALL_TURNS) this.#stalled();
      else this.#wait();
    });
  }
}
