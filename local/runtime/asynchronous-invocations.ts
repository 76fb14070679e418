import { StartError } from '../errors.ts';
import { AsynchronousInvocation } from '../events/asynchronous-invocation.ts';
import type { Stack } from '../template/properties.ts';
import { readEventInvokeConfigs } from '../template/read-events.ts';
import type { Closing } from './closing.ts';
import type { FunctionFleet } from './function-fleet.ts';
import type { QueueDirectory } from './queue-directory.ts';

/** What asynchronous invocations depend on. */
export interface AsynchronousInvocationsSettings {
  readonly stack: Stack;
  readonly functions: FunctionFleet;
  readonly log: (line: string) => void;
  readonly closing: Closing;
}

/**
 * Asynchronous invocation of every function of the template. Retries and destinations are the function's own,
 * whoever invokes it: EventBridge, or a bucket.
 */
export class AsynchronousInvocations {
  readonly #byArn: ReadonlyMap<string, AsynchronousInvocation>;

  constructor(queues: QueueDirectory, { stack, functions, log, closing }: AsynchronousInvocationsSettings) {
    const configs = new Map(readEventInvokeConfigs(stack).map((config) => [config.functionName, config]));
    this.#byArn = new Map(
      functions.names.map((name) => {
        const config = configs.get(name);
        const invocation = new AsynchronousInvocation({
          target: functions.find(name),
          ...(config?.maximumRetryAttempts === undefined
            ? {}
            : { maximumRetryAttempts: config.maximumRetryAttempts }),
          ...(config?.maximumEventAgeInSeconds === undefined
            ? {}
            : { maximumEventAgeInSeconds: config.maximumEventAgeInSeconds }),
          ...(config?.onFailureArn === undefined
            ? {}
            : { sendToOnFailure: queues.senderTo(config.onFailureArn) }),
          log,
        });
        closing.add(() => invocation.close());
        return [functions.find(name).arn, invocation] as const;
      }),
    );
  }

  /**
   * That of the function of an ARN.
   * @throws StartError when the template has no such function.
   */
  of(functionArn: string): AsynchronousInvocation {
    const invocation = this.#byArn.get(functionArn);
    if (invocation === undefined) throw new StartError(`${functionArn} is no function of the template`);
    return invocation;
  }
}
