import * as v from 'valibot';
import { parse } from '../protocol/invalid.ts';

const Count = v.pipe(v.number(), v.minValue(0));
const Bound = v.optional(v.union([v.number(), v.string()]));

/** What this page shows of a `csv-profile` result; fields that it does not know pass by. */
const CsvProfileSchema = v.object({
  format: v.literal('jobwire.csv-profile.v1'),
  file: v.object({ size: Count, delimiter: v.string(), header: v.boolean() }),
  rows: Count,
  malformed: v.object({
    count: Count,
    samples: v.array(v.object({ line: Count, reason: v.string(), excerpt: v.string() })),
  }),
  columns: v.array(
    v.object({
      name: v.string(),
      type: v.string(),
      types: v.record(v.string(), Count),
      count: Count,
      empty: Count,
      distinct: v.object({ value: Count, exact: v.boolean() }),
      min: Bound,
      max: Bound,
      mean: v.optional(v.number()),
      longest: Count,
      frequent: v.object({
        exact: v.boolean(),
        values: v.array(v.object({ value: v.string(), count: Count, cut: v.optional(v.boolean()) })),
      }),
    }),
  ),
});

/** See `CsvProfileSchema`. */
export type CsvProfileResult = v.InferOutput<typeof CsvProfileSchema>;
/** One column of it. */
export type ColumnResult = CsvProfileResult['columns'][number];

/**
 * Reads the result of a `csv-profile` job.
 * @throws InvalidError for anything else.
 */
export function readCsvProfile(value: unknown): CsvProfileResult {
  return parse('the profile', CsvProfileSchema, value);
}
