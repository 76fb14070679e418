import { styleText } from 'node:util';
import sliceAnsi from 'slice-ansi';
import stringWidth from 'string-width';
import { formatFraction } from './units.ts';

/** One line of a display. All texts are safe to print. */
export interface Line {
  readonly label: string;
  /** From 0 to 1. */
  readonly fraction: number;
  readonly tone: 'idle' | 'busy' | 'good' | 'bad' | 'halted';
  /** The most important first: what does not fit is cut off at the end. */
  readonly details: readonly string[];
}

const COLOURS = { idle: 'gray', busy: 'cyan', good: 'green', bad: 'red', halted: 'yellow' } as const;

/** Wide enough that a step of 3 % is seen, narrow enough to leave room for words, in columns. */
const WIDEST_BAR = 32;
const NARROWEST_BAR = 8;

/** What a percentage takes with the blanks around it: ` 100 %  `. */
const PERCENT_WIDTH = 8;

/**
 * Label, bar, percentage and details on one line of at most `width` columns. Colours only where the stream and
 * the environment want them (NO_COLOR, FORCE_COLOR); the words say everything that colours say.
 */
export function renderLine(
  line: Line,
  labelWidth: number,
  width: number,
  stream: NodeJS.WriteStream,
): string {
  const barWidth = Math.min(
    WIDEST_BAR,
    Math.max(NARROWEST_BAR, Math.floor((width - labelWidth - PERCENT_WIDTH) / 2)),
  );
  const filled = Math.floor(line.fraction * barWidth);
  const bar =
    styleText(COLOURS[line.tone], '━'.repeat(filled), { stream }) +
    styleText('dim', '─'.repeat(barWidth - filled), { stream });
  const percent = formatFraction(line.fraction).padStart(5);
  return cut(`${line.label.padEnd(labelWidth)} ${bar} ${percent} ${line.details.join(' · ')}`, width);
}

function cut(text: string, width: number): string {
  if (stringWidth(text) <= width) return text;
  return `${sliceAnsi(text, 0, Math.max(0, width - 1))}…`;
}
