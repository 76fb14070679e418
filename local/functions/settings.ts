import type { Clock } from '../clock.ts';
import type { InvocationReport } from './invocation-report.ts';

/** What a function of the template is deployed with; all values are resolved. */
export interface FunctionDeployment {
  /** Absolute path of the directory that holds the bundle. */
  readonly bundle: string;
  /** `Handler`, for example `index.handler`. */
  readonly handler: string;
  /**
   * `Environment.Variables`, and whatever gives the function its credentials and endpoints (`AWS_…`). The
   * function sees these, what Lambda itself sets, and nothing of the machine's environment.
   */
  readonly environment: Readonly<Record<string, string>>;
  /** `Timeout`, in milliseconds. */
  readonly timeoutMs: number;
  /** `MemorySize`, in megabytes. */
  readonly memoryMb: number;
  /** `ReservedConcurrentExecutions`: further invocations are throttled. */
  readonly maximumConcurrency?: number;
}

/** Settings of `LambdaFunction`. */
export interface LambdaFunctionSettings extends FunctionDeployment {
  /** The physical name. */
  readonly name: string;
  readonly arn: string;
  readonly log: (line: string) => void;
  readonly clock?: Clock;
  /** Called after every invocation, also after those that failed. */
  readonly onReport?: (report: InvocationReport) => void;
  /**
   * How many environments this machine runs at once for the function; further invocations wait their turn.
   * Lambda has no such limit (but the account's 1,000); it only keeps a laptop usable. 16 by default.
   */
  readonly environmentLimit?: number;
}
