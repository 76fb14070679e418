import { BarsDisplay } from './bars-display.ts';
import type { Display, Output } from './display.ts';
import { JsonDisplay } from './json-display.ts';
import { PlainDisplay } from './plain-display.ts';

/**
 * Bars on a terminal that can draw them, one line a change everywhere else, one line of JSON a state if asked.
 * @param json whether `--json` was said
 */
export function chooseDisplay(output: Output, json: boolean, environment: NodeJS.ProcessEnv): Display {
  if (json) return new JsonDisplay(output);
  // TERM=dumb is how editors and CI say that they cannot move a cursor.
  if (canDraw(output) && environment['TERM'] !== 'dumb') return new BarsDisplay(output);
  return new PlainDisplay(output);
}

/** A pseudo terminal that nobody has told its size says 0: lines that move would break anywhere there. */
function canDraw({ isTTY, columns, rows }: Output): boolean {
  return isTTY && columns > 0 && rows > 0;
}
