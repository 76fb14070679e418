import { type SFNClient, StartExecutionCommand, StopExecutionCommand } from '@aws-sdk/client-sfn';
import { MalformedDataError, type RefusedError, UnavailableError } from '../errors.ts';
import { executionNameOf } from '../execution-name.ts';
import type { Executions, Queue } from '../ports.ts';
import type { Work } from '../queue-messages.ts';
import { nameOf, translateServiceError } from './service-error.ts';

/** `arn:aws:states:<region>:<account>:stateMachine:<name>` (Step Functions, "Resource types defined by"). */
const STATE_MACHINE_ARN = /^(arn:[^:]+:states:[^:]*:[^:]*):stateMachine:([^:]+)$/;

/**
 * The state machine whose executions work on jobs. To send it work is to start an execution under the name that the
 * job has for it, so that the same work starts nothing twice.
 */
export class WorkflowExecutions implements Queue<Work>, Executions {
  readonly #client: () => SFNClient;
  readonly #arn: string;
  readonly #executionArnPrefix: string;

  /**
   * `client` may be made when it is first needed: see `sfnClientAtFirstUse`.
   * @throws MalformedDataError for what is no state machine's ARN.
   */
  constructor(settings: {
    readonly client: SFNClient | (() => SFNClient);
    readonly stateMachineArn: string;
  }) {
    const { client, stateMachineArn } = settings;
    const [, prefix, name] = STATE_MACHINE_ARN.exec(stateMachineArn) ?? [];
    if (prefix === undefined || name === undefined)
      throw new MalformedDataError("The state machine's ARN in the environment");
    this.#client = typeof client === 'function' ? client : () => client;
    this.#arn = stateMachineArn;
    this.#executionArnPrefix = `${prefix}:execution:${name}:`;
  }

  /** Starts an execution for each, at once: a state machine knows no delay. An execution that was started is started. */
  async send(messages: readonly Work[]): Promise<void> {
    for (const { job, epoch } of messages) await this.#start({ job, epoch });
  }

  async stop(work: Work): Promise<void> {
    const command = new StopExecutionCommand({
      executionArn: `${this.#executionArnPrefix}${executionNameOf(work)}`,
      error: 'Stopped',
      cause: 'The job has ended otherwise',
    });
    try {
      await this.#client().send(command);
    } catch (error) {
      if (nameOf(error) === 'ExecutionDoesNotExist') return;
      throw translate(error);
    }
  }

  async #start(work: Work): Promise<void> {
    const command = new StartExecutionCommand({
      stateMachineArn: this.#arn,
      name: executionNameOf(work),
      // The same text each time: an execution that still runs then answers as it did when it was started.
      input: JSON.stringify(work),
    });
    try {
      await this.#client().send(command);
    } catch (error) {
      if (nameOf(error) === 'ExecutionAlreadyExists') return; // it has ended, and is remembered for 90 days
      throw translate(error);
    }
  }
}

/** A limit of executions at a time is a throttle, though its status is 400 (API reference, StartExecution). */
function translate(error: unknown): UnavailableError | RefusedError {
  if (nameOf(error) === 'ExecutionLimitExceeded')
    return new UnavailableError('Step Functions', { cause: error, throttled: true });
  return translateServiceError('Step Functions', error);
}
