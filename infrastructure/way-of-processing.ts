import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Watch } from './alarms.ts';
import type { NodeFunction } from './node-function.ts';

/** How jobs are processed: what the rest of the stack asks of it, whichever way it is. */
export interface WayOfProcessing {
  /** Lets a function begin work on jobs, and tells it where. */
  allowStart(caller: NodeFunction): void;
  /** Lets a function end work on jobs, where that is more than a change of the job. */
  allowStop(caller: NodeFunction): void;
  /** The functions that fail only when something is wrong. */
  readonly functions: readonly NodeFunction[];
  /** The queues where failures end, by what failed. */
  readonly failures: Readonly<Record<string, IQueue>>;
  /** What is watched besides, by the alarm. */
  readonly watches: Readonly<Record<string, Watch>>;
}
