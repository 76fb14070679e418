import { commandName, type Figure, type MeasureName, type MeasureOutcome } from './measure.ts';
import { describeTarget, meets, TARGETS } from './targets.ts';

const HEADER = ['measure', 'figure', 'value', '±', 'beside', 'its value', 'ratio'] as const;

/**
 * The table that a run ends with: the figures of each measure, below them its ratios with what is asked of them.
 * Ratios of tiny loads (`quick`) say nothing of speed, and are not judged.
 */
export function renderTable(
  outcomes: ReadonlyMap<MeasureName, MeasureOutcome>,
  { quick }: { readonly quick: boolean },
): string {
  const rows: (readonly string[])[] = [HEADER];
  for (const [name, { figures, ratios }] of outcomes) {
    figures.forEach((figure, index) => {
      rows.push([index === 0 ? commandName(name) : '', ...figureCells(figure)]);
    });
    for (const [ratio, value] of Object.entries(ratios)) {
      rows.push([
        '',
        `${name}.${ratio}`,
        formatNumber(value),
        '',
        ...(quick ? [] : targetCells(name, ratio, value)),
      ]);
    }
  }
  const widths = HEADER.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  const lines = rows.map((row) => {
    const cells = row.map((cell, column) =>
      [2, 3, 5, 6].includes(column) ? cell.padStart(widths[column] ?? 0) : cell.padEnd(widths[column] ?? 0),
    );
    return cells.join('  ').trimEnd();
  });
  const rule = widths.map((width) => '─'.repeat(width)).join('  ');
  return [lines[0], rule, ...lines.slice(1)].join('\n');
}

/** Three digits, or all of them before the point: `0.113`, `23.4`, `10,000`. */
export function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 || Number.isInteger(value) ? 0 : 3;
  return value.toLocaleString(
    'en-US',
    digits === 0 ? { maximumFractionDigits: 0 } : { maximumSignificantDigits: digits },
  );
}

function figureCells(figure: Figure): readonly string[] {
  const withUnit = (value: number) => `${formatNumber(value)} ${figure.unit}`.trimEnd();
  return [
    figure.name,
    withUnit(figure.value),
    figure.spread === undefined ? '' : formatNumber(figure.spread),
    figure.baseline?.name ?? '',
    figure.baseline === undefined ? '' : withUnit(figure.baseline.value),
    figure.ratio === undefined ? '' : formatNumber(figure.ratio),
  ];
}

function targetCells(name: MeasureName, ratio: string, value: number): readonly string[] {
  const target = TARGETS[name][ratio];
  if (target === undefined) return ['', '', ''];
  return [describeTarget(target), meets(target, value) ? 'reached' : 'MISSED', ''];
}
