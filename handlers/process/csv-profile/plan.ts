import * as v from 'valibot';
import { StepStateError } from './step-state-error.ts';

const Count = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const RangeSchema = v.strictObject({ from: Count, to: Count, line: Count, rows: Count });

const PlanSchema = v.strictObject({
  format: v.literal('jobwire.csv-plan.v1'),
  size: Count,
  byteOrderMark: v.boolean(),
  dialect: v.strictObject({
    delimiter: v.picklist([',', ';', '\t', '|']),
    newline: v.picklist(['\n', '\r']),
    header: v.boolean(),
    width: v.pipe(Count, v.minValue(1)),
  }),
  recordCharacters: v.pipe(Count, v.minValue(1)),
  headerRange: v.optional(Count),
  names: v.array(v.string()),
  rows: Count,
  blankLines: Count,
  malformed: v.strictObject({
    count: Count,
    samples: v.array(
      v.strictObject({ line: Count, reason: v.picklist(['field-count', 'quotes']), excerpt: v.string() }),
    ),
  }),
  ranges: v.pipe(v.array(RangeSchema), v.minLength(1)),
});

/** Bytes `from` to before `to` of the file: whole rows, the first of which begins on `line`, from 1. */
export type Range = Readonly<v.InferOutput<typeof RangeSchema>>;

/**
 * What *inspect* finds out: everything of the result but the columns' figures, and how the rest of the work is
 * divided. It depends on the bytes of the file alone. `size` is that of the file; `rows` of a range are those that
 * its figures are made of; the first row that is not blank in range `headerRange` is the header (none without);
 * `recordCharacters` is the limit that rows were split by;
 * `names` are the columns'. As JSON at most 1.5 MB, with 2,000 names of 100 characters; commonly some 2 KB.
 */
export type Plan = v.InferOutput<typeof PlanSchema>;

/** A plan as it is kept between steps. */
export function planToText(plan: Plan): string {
  return JSON.stringify(plan);
}

/** Reads what `planToText` wrote. @throws StepStateError for anything else. */
export function planFromText(text: string): Plan {
  const parsed = v.safeParse(v.pipe(v.string(), v.parseJson(), PlanSchema), text);
  if (parsed.success) return parsed.output;
  throw new StepStateError(
    `The plan of the work cannot be read: ${parsed.issues.map((issue) => `${v.getDotPath(issue) ?? 'it'}: ${issue.message}`).join('; ')}`,
  );
}

/** The range of that number, from 0. @throws StepStateError where the plan has none. */
export function rangeOf(plan: Plan, index: number): Range {
  const range = plan.ranges[index];
  if (range === undefined) {
    throw new StepStateError(`There is no range ${index}: the plan has ${plan.ranges.length}, from 0`);
  }
  return range;
}
