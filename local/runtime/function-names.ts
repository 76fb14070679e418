import type { Stack } from '../template/properties.ts';
import { readFunctions } from '../template/read-functions.ts';

/**
 * Makes log lines readable: physical names of functions, such as `Jobwire-PublishingDeliverFunctionBE05820A`,
 * are shown as `Publishing/Deliver`, the construct that deploys them.
 */
export class FunctionNames {
  #names: readonly (readonly [string, string])[] = [];

  /** Learns the names of a template. */
  learn(stack: Stack): void {
    this.#names = readFunctions(stack).map(({ name, constructPath }) => [name, constructPath]);
  }

  /** The line with every physical name replaced. */
  shorten(line: string): string {
    return this.#names.reduce((text, [name, label]) => text.replaceAll(name, label), line);
  }
}
