import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../account.ts';
import type { Execution } from '../workflows/execution-store.ts';
import type { BusEvent } from './rule.ts';

/**
 * The event that Step Functions puts on the default bus when an execution starts or ends (SFN Developer Guide,
 * "Automating Step Functions event delivery with EventBridge"). Input and output are JSON text, dates milliseconds
 * since the epoch; what does not exist is null. Input or output above 248 KB would be left out on AWS
 * (`included: false`): there the limit is that of the whole event.
 */
export function buildExecutionStatusEvent(execution: Execution): BusEvent {
  const { arn, stateMachineArn, name, status, startedAt, stoppedAt, input, output, error, cause } = execution;
  const included = Buffer.byteLength(input + (output ?? '')) <= EVENT_LIMIT;
  const time = new Date(stoppedAt ?? startedAt).toISOString().replace(/\.\d+Z$/, 'Z');
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Step Functions Execution Status Change',
    source: 'aws.states',
    account: ACCOUNT,
    time,
    region: REGION,
    resources: [arn],
    detail: {
      executionArn: arn,
      stateMachineArn,
      name,
      status,
      startDate: startedAt,
      stopDate: stoppedAt ?? null,
      input: included ? input : null,
      output: included ? (output ?? null) : null,
      inputDetails: { included },
      outputDetails: output === undefined ? null : { included },
      error: error ?? null,
      cause: cause ?? null,
      stateMachineVersionArn: null,
      stateMachineAliasArn: null,
      redriveCount: 0,
      redriveDate: null,
      redriveStatus: status === 'RUNNING' || status === 'SUCCEEDED' ? 'NOT_REDRIVABLE' : 'REDRIVABLE',
      redriveStatusReason:
        status === 'RUNNING' || status === 'SUCCEEDED'
          ? `Execution is ${status} and cannot be redriven`
          : null,
    },
  };
}

/** Of input and output together, in bytes (SFN Developer Guide, EventBridge). */
const EVENT_LIMIT = 248 * 1024;
