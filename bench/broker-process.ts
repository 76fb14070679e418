import { brokerAllow } from '../handlers/aws/iot-authorizer-event.ts';
import { systemClock } from '../local/clock.ts';
import type { InvokableFunction } from '../local/functions/invocation.ts';
import { Principals } from '../local/permissions/principal.ts';
import { startIot } from '../local/services/iot.ts';
import type { RunningService } from '../local/services/running-service.ts';
import { benchPrincipal } from './bench-principal.ts';
import { answerCalls } from './child-process.ts';

/** The local IoT Core in a process of its own. */
export interface BrokerServer {
  /** Starts it for the watchers of one job, who name that authorizer; answers with its port. */
  start(settings: { readonly authorizer: string; readonly job: string }): Promise<number>;
  readonly [name: string]: (argument: never) => unknown;
}

let broker: RunningService | undefined;

answerCalls<BrokerServer>({
  async start({ authorizer, job }) {
    const arn = `arn:aws:lambda:us-east-1:000000000000:function:${authorizer}`;
    // It agrees at once: what is measured is telling.
    const agreeing: InvokableFunction = {
      name: authorizer,
      arn,
      invoke: () => Promise.resolve({ kind: 'returned', requestId: 'bench', payload: brokerAllow(job, arn) }),
    };
    broker = await startIot({
      port: 0,
      authorizers: [{ name: authorizer, function: agreeing }],
      principals: new Principals([benchPrincipal]),
      clock: systemClock,
      log: (line) => console.error(line),
    });
    return broker.port;
  },
});
