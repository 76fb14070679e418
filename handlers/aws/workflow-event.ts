import * as v from 'valibot';
import { MalformedDataError } from '../errors.ts';
import { WorkSchema } from './messages.ts';

/** What a step of the workflow is invoked with. */
export interface StepEvent {
  readonly job: string;
  readonly epoch: string;
  /** The name of the execution. */
  readonly execution: string;
}

/** That an execution failed, and how: an error's name, and its cause, which may be JSON. */
export interface FailureEvent extends StepEvent {
  readonly failure: { readonly error: string; readonly cause?: string };
}

/** Names that we give, and those that whoever starts an execution by hand may (API reference, StartExecution). */
const NameSchema = v.pipe(v.string(), v.regex(/^[A-Za-z0-9_-]{1,80}$/));
const NumberSchema = v.pipe(v.number(), v.safeInteger(), v.minValue(0));

const StepSchema = v.intersect([WorkSchema, v.object({ execution: NameSchema })]);
const RangeSchema = v.intersect([StepSchema, v.object({ range: NumberSchema })]);

/** What `Catch` puts into `error` (aws-facts 5). */
const CaughtSchema = v.intersect([
  StepSchema,
  v.object({ error: v.object({ Error: v.string(), Cause: v.optional(v.string()) }) }),
]);

/** "Step Functions Execution Status Change" (SFN:eventbridge-integration); `error` and `cause` where it has them. */
const StatusSchema = v.object({
  'detail-type': v.literal('Step Functions Execution Status Change'),
  detail: v.object({
    name: NameSchema,
    status: v.picklist(['FAILED', 'TIMED_OUT', 'ABORTED']),
    input: v.pipe(v.string(), v.parseJson(), WorkSchema),
    error: v.nullish(v.string()),
    cause: v.nullish(v.string()),
  }),
});

/** Reads what a step is invoked with. @throws MalformedDataError. */
export function readStep(event: unknown): StepEvent {
  return read(StepSchema, event);
}

/** Reads what a step is invoked with that works on one range. @throws MalformedDataError. */
export function readRangeStep(event: unknown): StepEvent & { readonly range: number } {
  return read(RangeSchema, event);
}

/**
 * Reads what `Fail` is invoked with: by `Catch`, or by EventBridge after an execution ended that no `Catch` saw to.
 * @throws MalformedDataError.
 */
export function readFailure(event: unknown): FailureEvent {
  const caught = v.safeParse(CaughtSchema, event);
  if (caught.success) {
    const { error, ...step } = caught.output;
    return { ...step, failure: failureOf(error.Error, error.Cause) };
  }
  const { name, status, input, error, cause } = read(StatusSchema, event).detail;
  const ended = { TIMED_OUT: 'States.Timeout', ABORTED: 'ABORTED', FAILED: error ?? 'States.TaskFailed' };
  return { ...input, execution: name, failure: failureOf(ended[status], cause ?? undefined) };
}

function failureOf(error: string, cause: string | undefined): FailureEvent['failure'] {
  return cause === undefined ? { error } : { error, cause };
}

function read<Output>(schema: v.GenericSchema<unknown, Output>, event: unknown): Output {
  const parsed = v.safeParse(schema, event);
  if (parsed.success) return parsed.output;
  const details = parsed.issues.map((issue) => v.getDotPath(issue) ?? 'it').join(', ');
  throw new MalformedDataError(`The event of the workflow (${details})`);
}
