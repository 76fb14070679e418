import { rangeOf } from '../csv-profile/plan.ts';
import { profileRange } from '../csv-profile/steps.ts';
import { withBody } from '../payload-body.ts';
import type { Payload } from './payload.ts';
import { RangeReporter } from './range-reporter.ts';
import { readPlan } from './read-plan.ts';
import { runStep, type StepParts } from './run-step.ts';
import { type RangeRequest, rangeFileOf } from './step-request.ts';

/** What `profile` needs. */
export interface ProfileParts extends StepParts {
  readonly payload: Payload;
}

/** Profiles one range of the plan; runs beside others on the same job. @throws as `runStep`. */
export async function profilePayload(
  request: RangeRequest,
  endsAt: number,
  parts: ProfileParts,
): Promise<Record<string, never>> {
  return runStep(request, endsAt, parts, async (run) => {
    const { record, execution, signal } = run;
    const { payload, workspace } = parts;
    const plan = await readPlan(run, parts);
    const range = rangeOf(plan, request.range);
    const open = () => payload.open(record, execution, signal, range);
    const opened = await run.persist('opening the payload', open);
    const reporter = new RangeReporter({ ...parts, plan, range: request.range, steps: payload.steps }, run);
    try {
      const profile = await withBody(opened, signal, (body) =>
        profileRange({ body, signal, report: (done) => reporter.report(done) }, plan, request.range),
      );
      signal.throwIfAborted();
      const file = rangeFileOf(request.range);
      await run.persist('writing the profile', () => workspace.write(execution, file, profile));
      reporter.report({ bytes: range.to - range.from, rows: range.rows });
      await reporter.finish();
      return {};
    } finally {
      await reporter.settle();
    }
  });
}
