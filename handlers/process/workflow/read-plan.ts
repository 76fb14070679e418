import { type Plan, planFromText } from '../csv-profile/plan.ts';
import type { StepParts, StepRun } from './run-step.ts';
import { PLAN_FILE } from './step-request.ts';

/** The plan that `inspect` wrote. @throws StepStateError, FileNotFoundError, UnavailableError; the signal's reason. */
export async function readPlan(run: StepRun, { workspace }: StepParts): Promise<Plan> {
  const bytes = await run.persist('reading the plan', () => workspace.read(run.execution, PLAN_FILE));
  return planFromText(new TextDecoder().decode(bytes));
}
