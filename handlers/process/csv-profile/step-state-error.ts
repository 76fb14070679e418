/**
 * What one step has left for another cannot be used: it is damaged, was written by another version, or belongs to
 * other bytes than those at hand. Nothing that the user could mend: the job fails with `processing-failed`.
 */
export class StepStateError extends Error {
  override readonly name = 'StepStateError';
}
