/** So long before the function's own end the work is stopped, so that the job can still be told. Milliseconds. */
export const STOP_BEFORE_END = 10_000;

/** So long before the function's own end nothing is tried any more. Milliseconds. */
export const GIVE_UP_BEFORE_END = 1_000;

/**
 * So long before its function's own end a step tries no small request any more. Its state gives up five seconds before
 * that end (infrastructure/workflow.ts), and one request may take twelve: three attempts of four seconds, the client's
 * own (handlers/aws/clients.ts). Milliseconds.
 */
export const LAST_TRY_BEFORE_END = 18_000;
