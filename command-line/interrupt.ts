import { InterruptedError } from './errors.ts';

/** Requests to stop, for as long as the command runs. */
export interface Interrupt {
  /** Aborts with an `InterruptedError` at the first Ctrl-C; the second ends the process. */
  readonly signal: AbortSignal;
  /** Listens no more. */
  stop(): void;
}

/** Begins to listen for Ctrl-C, for SIGTERM, and for the end of whoever reads the output. */
export function listenForInterrupt(): Interrupt {
  const controller = new AbortController();
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const stopListening = () => {
    for (const signal of signals) process.off(signal, interrupt);
  };
  const interrupt = () => {
    stopListening(); // the next one finds the system's own way
    controller.abort(new InterruptedError('stopped'));
  };
  for (const signal of signals) process.on(signal, interrupt);
  // `jobwire watch … | head -1`: nobody reads any more, which is no fault.
  process.stdout.on('error', interrupt);
  return {
    signal: controller.signal,
    stop() {
      stopListening();
      process.stdout.off('error', interrupt);
    },
  };
}
