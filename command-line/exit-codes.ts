import type { TerminalStatus } from '../protocol/status.ts';

/**
 * How the command ends. 0 to 3 tell of the jobs; the others of the command itself, and follow sysexits.h and the
 * shell's 128 + signal, so that no script takes them for a job's.
 */
export const EXIT = {
  succeeded: 0,
  failed: 1,
  /** The job was cancelled, or its upload never came. */
  cancelled: 2,
  /** Nobody answers, or somebody else does, or who answers refuses: no API there, no right to the job, no such job. */
  refused: 3,
  /** The command line, a file or a setting is not usable as it stands (EX_USAGE). */
  usage: 64,
  /** A fault of the command itself (EX_SOFTWARE). */
  fault: 70,
  /** Ctrl-C (128 + SIGINT). */
  interrupted: 130,
} as const;

/** One of the codes above. */
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_STATUS: Readonly<Record<TerminalStatus, ExitCode>> = {
  succeeded: EXIT.succeeded,
  failed: EXIT.failed,
  cancelled: EXIT.cancelled,
  expired: EXIT.cancelled,
};

/** The code of a job that is over. */
export function exitCodeOf(status: TerminalStatus): ExitCode {
  return BY_STATUS[status];
}

/** The code for several jobs: the largest, 0 for none. */
export function worst(codes: readonly ExitCode[]): ExitCode {
  return [...codes].sort((one, other) => other - one)[0] ?? EXIT.succeeded;
}
