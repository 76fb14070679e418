/** So long before the function's own end the work is stopped, so that the job can still be told. Milliseconds. */
export const STOP_BEFORE_END = 10_000;

/** So long before the function's own end nothing is tried any more. Milliseconds. */
export const GIVE_UP_BEFORE_END = 1_000;
