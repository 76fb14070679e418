import type { Figure, MeasureName } from './measure.ts';
import type { Results } from './results.ts';
import { formatNumber } from './table.ts';

/** The results do not have a figure that a document shows. */
export class MissingFigureError extends Error {
  override readonly name = 'MissingFigureError';
}

/**
 * A figure of the results, by its name and, where the file has it beside several, by its baseline's.
 * @throws MissingFigureError where it is not there, as when a measure has renamed it
 */
export function figureOf(results: Results, measure: MeasureName, name: string, beside?: string): Figure {
  const found = results.measures[measure]?.figures.find(
    (figure) => figure.name === name && (beside ?? figure.baseline?.name) === figure.baseline?.name,
  );
  if (found !== undefined) return found;
  throw new MissingFigureError(`The results of ${measure} have no figure "${name}"`);
}

/** A figure's value or its baseline's, with the unit. */
export function quantity(value: number, unit: string): string {
  return `${formatNumber(value)} ${unit}`.trimEnd();
}

/** The machines of these measures without what they had to do beside, which is of that minute. */
export function machinesOf(results: Results, measures: readonly MeasureName[]): string {
  const machines = measures.flatMap((name) => results.measures[name]?.machine.split(', load')[0] ?? []);
  return [...new Set(machines)].join('; ');
}
