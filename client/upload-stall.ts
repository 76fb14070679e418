import type { Clock, Timer } from './clock.ts';
import { UnreachableError } from './errors.ts';

/**
 * A request of which no byte has left for so long, in milliseconds, is taken for broken: a router that has forgotten
 * the connection answers nothing, and XMLHttpRequest has no limit of its own. Two minutes are longer than the last bytes
 * lie in the system's buffers on a slow line: 4 MB, the most that Linux keeps unless it is told (tcp(7), `tcp_wmem`),
 * take a minute at 0.5 Mbit/s. Whoever tries again counts so much as waited, whatever Node made of it, so that what
 * stood still is sent again, and no more than twice.
 */
export const STALLED_FOR_MS = 120_000;

/** In so many whole turns, so that the hours that a laptop sleeps are one. */
const STALL_TURNS = 4;

/** The cause of the error of a request that stood still until it was broken off. */
export const STOOD_STILL = 'nothing has moved for two minutes';

/**
 * What the `fetch` of Node says where nothing has moved for five minutes
 * (https://github.com/nodejs/undici/blob/main/docs/docs/api/Errors.md).
 */
const STALL_CODES: ReadonlySet<unknown> = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT']);

/** Whether an upload broke off because nothing moved. */
export function isStall(error: unknown): boolean {
  if (!(error instanceof UnreachableError)) return false;
  return error.cause === STOOD_STILL || STALL_CODES.has(Object(Object(error.cause).cause).code);
}

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
    this.#timer = this.#clock.schedule(STALLED_FOR_MS / STALL_TURNS, () => {
      this.#turns += 1;
      if (this.#turns > STALL_TURNS) this.#stalled();
      else this.#wait();
    });
  }
}
