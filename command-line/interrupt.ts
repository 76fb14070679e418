import { InterruptedError } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/** Requests to stop, for as long as the command runs. */
export interface Interrupt {
  /** Aborts with an `InterruptedError` at the first Ctrl-C; a second one does not wait for what is being ended. */
  readonly signal: AbortSignal;
  /** Leaves Ctrl-C to others. */
  stop(): void;
}

/**
 * A signal that comes so soon after the first, in milliseconds, is the same request: npx passes on the Ctrl-C that
 * the terminal has sent to us already.
 */
const SAME_REQUEST_MS = 1000;

/** Begins to listen for Ctrl-C, for SIGTERM, and for the end of whoever reads the output. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  let interruptedAt: number | undefined;
  // Stays until the end: without a listener of ours the library that hides the cursor would end the process.
  const interrupt = () => {
    if (interruptedAt !== undefined && performance.now() - interruptedAt > SAME_REQUEST_MS) {
      process.exit(EXIT.interrupted);
    }
    interruptedAt ??= performance.now();
    controller.abort(new InterruptedError('stopped'));
  };
  // `jobwire watch … | head -1`: nobody reads any more, which is no fault. These listeners stay: a pipe tells of its
  // end after the last word was written to it, which may be after `stop`.
  const unread = () => controller.abort(new InterruptedError('nobody reads'));
  for (const signal of signals) process.on(signal, interrupt);
  for (const stream of [process.stdout, process.stderr]) stream.on('error', unread);
  return {
    signal: controller.signal,
    stop() {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
