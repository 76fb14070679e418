import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import type { CsvProfile } from '../../../handlers/process/csv-profile/csv-profile-document.ts';
import { column, profileOf } from './profile-of.ts';

/**
 * Real public data (npm package vega-datasets), profiled by us and by other means: another parser (d3-dsv, which
 * that package brings), and arithmetic as plain as can be.
 */
const require = createRequire(import.meta.url);
const {
  csvParse,
}: { csvParse(text: string): (Record<string, string> & { length?: never })[] & { columns: string[] } } =
  createRequire(require.resolve('vega-datasets'))('d3-dsv');

const FILES = [
  'airports',
  'birdstrikes',
  'seattle-weather',
  'seattle-weather-hourly-normals',
  'sp500-2000',
  'species',
  'weather',
  'windvectors',
  'zipcodes',
  'github',
  'disasters',
  'co2-concentration',
] as const;

function fileOf(name: string): Buffer {
  return readFileSync(new URL(`../../../node_modules/vega-datasets/data/${name}.csv`, import.meta.url));
}

const plainNumber = /^-?(0|[1-9][0-9]*)(\.[0-9]*)?(e[+-]?[0-9]+)?$/i;

describe.each(FILES)('%s.csv', (name) => {
  const file = fileOf(name);
  const rows = csvParse(file.toString('utf8').replace(/^\ufeff/, ''));
  const whole: Promise<CsvProfile> = profileOf([file]);

  test('rows and columns are those that another parser finds', async () => {
    const profile = await whole;
    expect(profile.malformed.count).toBe(0);
    expect(profile.rows).toBe(rows.length);
    expect(profile.columns.map((each) => each.name)).toEqual(rows.columns.map((each) => each.trim()));
  });

  test('every figure of every column is right', async () => {
    const profile = await whole;
    for (const [index, key] of rows.columns.entries()) {
      const summary = profile.columns[index];
      const all = rows.map((row) => row[key] ?? '');
      const values = all.filter((value) => value.trim() !== '');
      const counts = new Map<string, number>();
      for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);

      expect(summary?.count).toBe(values.length);
      expect(summary?.empty).toBe(all.length - values.length);
      expect(summary?.longest).toBe(Math.max(0, ...values.map((value) => value.length)));

      if (summary?.distinct.exact === true) expect(summary.distinct.value).toBe(counts.size);
      // Five standard errors of 0.81 %: a deterministic hash either stays within on these files or does not.
      else expect(Math.abs((summary?.distinct.value ?? 0) / counts.size - 1)).toBeLessThan(0.04);

      for (const { value, count, atMost = count, cut } of summary?.frequent.values ?? []) {
        if (cut === true) continue;
        expect(count).toBeLessThanOrEqual(counts.get(value) ?? 0);
        expect(atMost).toBeGreaterThanOrEqual(counts.get(value) ?? 0);
      }
      if (summary?.frequent.exact === true) {
        const most = [...counts.values()].sort((one, other) => other - one).slice(0, 10);
        expect(summary.frequent.values.map(({ count }) => count)).toEqual(most);
      }

      const isNumeric = values.length > 0 && values.every((value) => plainNumber.test(value.trim()));
      expect(summary?.type === 'integer' || summary?.type === 'number').toBe(isNumeric);
      if (isNumeric) {
        const numbers = values.map(Number);
        expect(summary?.min).toBe(numbers.reduce((one, other) => Math.min(one, other)));
        expect(summary?.max).toBe(numbers.reduce((one, other) => Math.max(one, other)));
        const mean = numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
        expect(Math.abs((summary?.mean ?? 0) - mean)).toBeLessThanOrEqual(
          1e-12 * Math.max(1, Math.abs(mean)) * 100,
        );
      }
    }
  });
});

test('what is known of Seattle: 1,461 days from 2012 to 2015', async () => {
  const profile = await profileOf([fileOf('seattle-weather')]);
  expect(profile.rows).toBe(1461);
  expect(column(profile, 'date')).toMatchObject({ type: 'date', min: '2012-01-01', max: '2015-12-31' });
  expect(column(profile, 'weather').distinct).toEqual({ value: 5, exact: true });
  expect(column(profile, 'weather').frequent.values[0]?.value).toBe('rain');
  expect(column(profile, 'temp_max').type).toBe('number');
});

test('postal codes keep their zeros', async () => {
  const profile = await profileOf([fileOf('zipcodes')]);
  expect(column(profile, 'zip_code')).toMatchObject({ type: 'text', min: '00501' });
});
