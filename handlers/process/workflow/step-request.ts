import type { Work } from '../../queue-messages.ts';

/** What every step is invoked with. Payloads name things and never carry content (256 KB at most: aws-facts 5). */
export interface StepRequest extends Work {
  /** The name of the workflow's execution, which is also the id of the execution that works on the job. */
  readonly execution: string;
}

/** What a step is invoked with that works on one range of the plan. */
export interface RangeRequest extends StepRequest {
  /** From 0. */
  readonly range: number;
}

/** The files of an execution. */
export const PLAN_FILE = 'plan';
export const PAYLOAD_FILE = 'payload';
export const rangeFileOf = (range: number): string => `range-${range}`;
