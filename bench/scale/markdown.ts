/** A table in Markdown; columns of figures to the right. */
export function markdown(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(header),
    line(header.map((_, index) => (isFigures(rows, index) ? '--:' : '---'))),
    ...rows.map(line),
  ].join('\n');
}

function isFigures(rows: readonly (readonly string[])[], column: number): boolean {
  return column > 0 && rows.every((cells) => /^[$\d]/.test(cells[column] ?? ''));
}

/** A whole number, rounded up: of what is needed, a part counts as one. */
export function whole(value: number): string {
  return Math.ceil(value).toLocaleString('en-US');
}

/** Two digits. */
export function fine(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 2 });
}

/** A part of one, in percent, rounded up. */
export function percent(part: number): string {
  return `${whole(part * 100)} %`;
}

/** Seconds, in the unit in which people say them. */
export function duration(seconds: number): string {
  if (seconds < 1) return `${whole(seconds * 1_000)} ms`;
  if (seconds < 10) return `${fine(seconds)} s`;
  if (seconds < 120) return `${whole(seconds)} s`;
  return seconds < 7_200 ? `${whole(seconds / 60)} min` : `${fine(seconds / 3_600)} h`;
}
