import type { Clock } from '../clock.ts';
import type { Principals } from '../permissions/principal.ts';
import type { Stack } from '../template/properties.ts';
import { readIotAuthorizers } from '../template/read-broker.ts';
import { InvokePermissions } from '../template/read-permissions.ts';
import type { Closing } from './closing.ts';
import type { FunctionFleet } from './function-fleet.ts';

/** Settings of `startBroker`. */
export interface BrokerSettings {
  readonly stack: Stack;
  readonly port: number;
  readonly functions: FunctionFleet;
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
  readonly closing: Closing;
}

/**
 * Starts IoT Core, where the template has an authorizer by which somebody could connect to it. Answers its URL.
 * @throws UnsupportedTemplateError, StartError; see `readIotAuthorizers`
 */
export async function startBroker(settings: BrokerSettings): Promise<string | undefined> {
  const { stack, port, functions, principals, clock, log, closing } = settings;
  const declarations = readIotAuthorizers(stack, new InvokePermissions(stack));
  if (declarations.length === 0) return undefined;
  log('starting the MQTT broker …');
  // Only now: whoever does not broadcast does not wait for the library.
  const { startIot } = await import('../services/iot.ts');
  const authorizers = declarations.map(({ name, functionArn }) => ({
    name,
    function: functions.find(functionArn),
  }));
  const service = await startIot({ port, authorizers, principals, clock, log });
  closing.add(() => service.close());
  return service.brokerUrl;
}
