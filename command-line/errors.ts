import {
  ConnectionRefusedError,
  ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
  UnexpectedAnswerError,
  UnreachableError,
  UploadRefusedError,
} from '../client/errors.ts';
import { UnreadableFileError, UploadEndedError } from '../client/upload-errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { safeText } from './safe-text.ts';

/** What ends the command with a sentence for the person in front of it. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly exitCode: ExitCode;

  constructor(message: string, exitCode: ExitCode, options?: ErrorOptions) {
    super(message, options);
    this.exitCode = exitCode;
  }
}

/** Ctrl-C, or nobody who reads what is printed any more. */
export class InterruptedError extends Error {
  override readonly name = 'InterruptedError';
}

/** The sentence and the exit code for what the client throws; undefined for what is a fault of ours. */
export function explain(error: unknown): CommandError | undefined {
  if (error instanceof CommandError) return error;
  if (error instanceof ProblemError) {
    // What is wrong with the request was said on the command line.
    const code = error.code === 'bad-request' ? EXIT.usage : EXIT.refused;
    return new CommandError(problemText(error), code);
  }
  if (error instanceof UnreachableError) {
    return new CommandError(`${error.message}: is it running there, and is the address right?`, EXIT.refused);
  }
  if (error instanceof UnexpectedAnswerError) {
    return new CommandError(`${error.message}: is the address right?`, EXIT.refused);
  }
  if (error instanceof UnreadableFileError) return new CommandError(error.message, EXIT.usage);
  const refusals = [
    ConnectionRefusedError,
    SubscriptionRefusedError,
    TicketRefusedError,
    UploadEndedError,
    UploadRefusedError,
  ];
  if (refusals.some((refusal) => error instanceof refusal)) {
    return new CommandError(error instanceof Error ? error.message : String(error), EXIT.refused);
  }
  return undefined;
}

function problemText({ problem }: ProblemError): string {
  return safeText([problem.title, problem.detail].filter(Boolean).join(': '));
}
