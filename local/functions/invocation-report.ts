import type { FunctionError } from './invocation.ts';

/** What Lambda writes into its REPORT line, as values. */
export interface InvocationReport {
  readonly functionName: string;
  readonly requestId: string;
  /** Of the invocation alone, without the init phase. */
  readonly durationMs: number;
  /** Of the init phase; set when the invocation started the environment. */
  readonly initMs?: number;
  /** Whether the invocation started a new environment. */
  readonly cold: boolean;
  /**
   * The most memory that was seen in use by the environment during this invocation, in megabytes: heap plus
   * what hangs outside it (buffers), looked at every 50 ms and at the end. Code of Node.js itself, some
   * 40 MB on Lambda, is shared by all threads here and not in it.
   */
  readonly peakMemoryMb: number;
  readonly outcome: 'returned' | FunctionError;
}

/** One line for the terminal: `name 1a2b3c4d 12 ms warm 23 MB`. */
export function formatReport(report: InvocationReport): string {
  const start = report.cold ? `cold (init ${Math.round(report.initMs ?? 0)} ms)` : 'warm';
  const figures = `${formatMs(report.durationMs)} ${start} ${Math.ceil(report.peakMemoryMb)} MB`;
  const line = `${report.functionName} ${report.requestId.slice(0, 8)} ${figures}`;
  if (report.outcome === 'returned') return line;
  return `${line} FAILED ${report.outcome.errorType}: ${report.outcome.errorMessage}`;
}

function formatMs(milliseconds: number): string {
  return `${milliseconds < 10 ? milliseconds.toFixed(1) : Math.round(milliseconds)} ms`;
}
