import { planToText } from '../csv-profile/plan.ts';
import type { ProfilingLimits } from '../csv-profile/profiling-limits.ts';
import { inspect } from '../csv-profile/steps.ts';
import { withBody } from '../payload-body.ts';
import type { Payload } from './payload.ts';
import { runStep, type StepParts } from './run-step.ts';
import { PLAN_FILE, type StepRequest } from './step-request.ts';
import { WholeReporter } from './whole-reporter.ts';

/** What `inspect` needs. */
export interface InspectParts extends StepParts {
  readonly payload: Payload;
  readonly limits: ProfilingLimits;
}

/** Reads the payload through, and writes the plan. Answers the numbers of its ranges. @throws as `runStep`. */
export async function inspectPayload(
  request: StepRequest,
  endsAt: number,
  parts: InspectParts,
): Promise<{ readonly ranges: readonly number[] }> {
  return runStep(request, endsAt, parts, async (run) => {
    const { record, execution, signal } = run;
    const { payload, workspace, limits } = parts;
    const size = record.job.input?.size ?? 0;
    const opened = await run.persist('opening the payload', () => payload.open(record, execution, signal));
    const reporter = new WholeReporter(parts, run, { steps: payload.steps, name: 'inspect', size });
    const report = ({ bytes }: { readonly bytes: number }) => reporter.report(bytes);
    try {
      const plan = await withBody(opened, signal, (body) => inspect({ body, size, signal, limits, report }));
      signal.throwIfAborted();
      const text = new TextEncoder().encode(planToText(plan));
      await run.persist('writing the plan', () => workspace.write(execution, PLAN_FILE, text));
      await reporter.finish();
      return { ranges: plan.ranges.map((_, index) => index) };
    } finally {
      await reporter.settle();
    }
  });
}
