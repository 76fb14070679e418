import { commandName, type Measure, type MeasureName, type MeasureOutcome } from './measure.ts';

/** What a series of measures came to. */
export interface MeasuresRun {
  readonly outcomes: ReadonlyMap<MeasureName, MeasureOutcome>;
  /** Those that threw: what did not hold, or did not work. */
  readonly failures: ReadonlyMap<MeasureName, unknown>;
}

/**
 * Runs measures one after another; one that fails does not keep the next from running. Ends early, with what
 * there is, once the signal is aborted.
 */
export async function runMeasures(
  measures: readonly Measure[],
  settings: { readonly quick: boolean; readonly signal: AbortSignal; readonly log: (line: string) => void },
): Promise<MeasuresRun> {
  const outcomes = new Map<MeasureName, MeasureOutcome>();
  const failures = new Map<MeasureName, unknown>();
  for (const measure of measures) {
    if (settings.signal.aborted) break;
    const name = commandName(measure.name);
    const log = (line: string) => settings.log(`${name}: ${line}`);
    const startedAt = performance.now();
    log('begins');
    try {
      const outcome = await measure.run({ ...settings, log });
      requireFinite(outcome);
      outcomes.set(measure.name, outcome);
      log(`done in ${((performance.now() - startedAt) / 1000).toFixed(1)} s`);
    } catch (error) {
      // What ends because it was told to has not failed.
      if (settings.signal.aborted) break;
      failures.set(measure.name, error);
      log(`failed: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  return { outcomes, failures };
}

/** JSON has no NaN: a division by nothing would become `null` in the file. */
function requireFinite(outcome: MeasureOutcome): void {
  const numbers = [
    ...Object.entries(outcome.ratios),
    ...outcome.figures.flatMap(
      ({ name, value, ratio = 0, baseline }) =>
        [
          [name, value],
          [`the ratio of ${name}`, ratio],
          [`the baseline of ${name}`, baseline?.value ?? 0],
        ] as const,
    ),
  ];
  const bad = numbers.filter(([, value]) => !Number.isFinite(value)).map(([name]) => name);
  if (bad.length > 0) throw new RangeError(`${bad.join(', ')} came out as no number`);
}
