import { PassThrough } from 'node:stream';
import { BarsDisplay } from '../../command-line/bars-display.ts';
import type { Output } from '../../command-line/display.ts';
import { listenForInterrupt } from '../../command-line/interrupt.ts';

/** Draws bars on a terminal of its own and waits for Ctrl-C; run by command.test.ts. */
const screen = Object.assign(new PassThrough().resume(), { isTTY: true, columns: 80, rows: 24 });
const display = new BarsDisplay(screen as unknown as Output); // what a display uses of one
display.upload('cities.csv', { sent: 1, total: 2 });
const interrupt = listenForInterrupt();
const staying = setInterval(() => {}, 60_000);
interrupt.signal.addEventListener('abort', () => {
  clearInterval(staying);
  display.close();
  console.log('stopped as asked');
  interrupt.stop();
});
console.log('drawing');
