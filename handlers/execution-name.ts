import type { Work } from './queue-messages.ts';

/**
 * The name of the execution of the workflow that works on a job: 57 of the 80 characters that Step Functions allows,
 * all of them letters, digits, `-` and `_` (API reference, StartExecution). One name for one making of a job, so that
 * work which is sent twice starts nothing twice.
 */
export function executionNameOf({ job, epoch }: Work): string {
  return `${job}-${epoch}`;
}
