import type { IncomingMessage, ServerResponse } from 'node:http';
import * as v from 'valibot';
import type { Clock } from '../clock.ts';
import { listen } from '../gateway/listening-server.ts';
import { denial, type Principals } from '../permissions/principal.ts';
import { EXECUTION_STATUSES, type Execution } from '../workflows/execution-store.ts';
import { type Executions, RefusedCallError } from '../workflows/executions.ts';
import {
  type AuthenticationStyle,
  isRefusal,
  type JsonCall,
  type JsonRefusal,
  readBytes,
  readJsonCall,
  refuseJson,
} from './json-service.ts';
import { HOST, type RunningService } from './running-service.ts';

/** How Step Functions is to answer here. */
export interface StepFunctionsSettings {
  /** 0 for a free one. */
  readonly port: number;
  readonly executions: Executions;
  readonly principals: Principals;
  readonly clock: Clock;
  readonly log: (line: string) => void;
}

const STYLE: AuthenticationStyle = { statusCode: 400, unknownAccessKey: 'UnrecognizedClientException' };

const ArnSchema = v.pipe(v.string(), v.minLength(1), v.maxLength(256));

/** Error and cause are cut nowhere: longer ones are refused (SFN API Reference, StopExecution). */
const StopSchema = v.object({
  executionArn: ArnSchema,
  error: v.optional(v.pipe(v.string(), v.maxLength(256))),
  cause: v.optional(v.pipe(v.string(), v.maxLength(32_768))),
});

const StartSchema = v.object({
  stateMachineArn: ArnSchema,
  name: v.optional(v.string()),
  input: v.optional(v.string()),
});

const ListSchema = v.object({
  stateMachineArn: ArnSchema,
  statusFilter: v.optional(v.picklist(EXECUTION_STATUSES)),
  /** 0 is the default of 100 (SFN API Reference, ListExecutions). */
  maxResults: v.optional(v.pipe(v.number(), v.integer(), v.minValue(0), v.maxValue(1000)), 0),
  nextToken: v.optional(v.pipe(v.string(), v.digits())),
});

const DEFAULT_RESULTS = 100;

/** What one operation needs: a permission on a resource, and how it is answered. */
interface Operation {
  readonly resource: string;
  readonly answer: () => object;
}

/** The operations that functions and tests use, by name. Each throws RefusedCallError. */
const OPERATIONS: Readonly<Record<string, (body: JsonCall['body'], executions: Executions) => Operation>> = {
  StartExecution(body, executions) {
    const { stateMachineArn, name, input } = parse(StartSchema, body);
    return {
      resource: stateMachineArn,
      answer() {
        const { arn, startedAt } = executions.start(stateMachineArn, name, input);
        return { executionArn: arn, startDate: startedAt / 1000 };
      },
    };
  },
  StopExecution(body, executions) {
    const { executionArn, error, cause } = parse(StopSchema, body);
    return {
      resource: executionArn,
      answer() {
        const { startedAt, stoppedAt = startedAt } = executions.stop(executionArn, error, cause);
        return { stopDate: stoppedAt / 1000 };
      },
    };
  },
  DescribeExecution(body, executions) {
    const { executionArn } = parse(v.object({ executionArn: ArnSchema }), body);
    return { resource: executionArn, answer: () => descriptionOf(executions.describe(executionArn)) };
  },
  ListExecutions(body, executions) {
    const { stateMachineArn, statusFilter, maxResults, nextToken = '0' } = parse(ListSchema, body);
    return {
      resource: stateMachineArn,
      answer() {
        const found = executions.list(stateMachineArn, statusFilter);
        const first = Number(nextToken);
        const end = first + (maxResults === 0 ? DEFAULT_RESULTS : maxResults);
        return {
          executions: found.slice(first, end).map(itemOf),
          ...(end < found.length ? { nextToken: String(end) } : {}),
        };
      },
    };
  },
};

/**
 * Starts the part of Step Functions' API that functions use, in front of the executions.
 *
 * @throws the system's error if the port is taken
 */
export async function startStepFunctions(settings: StepFunctionsSettings): Promise<RunningService> {
  const listening = await listen(HOST, settings.port);
  listening.server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    void answer(settings, request, response);
  });
  return {
    endpoint: `http://${HOST}:${listening.port}`,
    port: listening.port,
    close: () => listening.close(),
  };
}

/** Answers one call; never rejects. */
async function answer(
  settings: StepFunctionsSettings,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const bytes = await readBytes(request, response);
  if (bytes === undefined) return;
  const call = readJsonCall(request, bytes, settings.principals, settings.clock, STYLE);
  const result = isRefusal(call) ? call : perform(call, settings);
  if ('statusCode' in result) return refuseJson(response, result);
  const body = JSON.stringify(result.answer);
  response
    .writeHead(200, {
      'Content-Type': 'application/x-amz-json-1.0',
      'Content-Length': Buffer.byteLength(body),
    })
    .end(body);
}

function perform(
  call: JsonCall,
  { executions, log }: StepFunctionsSettings,
): JsonRefusal | { readonly answer: object } {
  const describe = OPERATIONS[call.operation];
  if (describe === undefined) {
    const message = `The local Step Functions does not know ${call.operation}.`;
    return { statusCode: 400, type: 'UnknownOperationException', message };
  }
  try {
    const operation = describe(call.body, executions);
    // Permission comes first: who has none is not told what exists.
    const message = denial(call.principal, `states:${call.operation}`, operation.resource);
    if (message !== undefined) {
      log(`Step Functions: ${message}`);
      return { statusCode: 400, type: 'AccessDeniedException', message };
    }
    return { answer: operation.answer() };
  } catch (error) {
    if (!(error instanceof RefusedCallError)) throw error;
    const statusCode = error.type === 'ServiceUnavailable' ? 503 : 400;
    return { statusCode, type: error.type, message: error.message };
  }
}

function parse<const Schema extends v.GenericSchema>(
  schema: Schema,
  body: JsonCall['body'],
): v.InferOutput<Schema> {
  const parsed = v.safeParse(schema, body);
  if (parsed.success) return parsed.output;
  const [issue] = parsed.issues;
  const message = `Value at '${v.getDotPath(issue) ?? ''}' failed to satisfy constraint: ${issue.message}`;
  throw new RefusedCallError('ValidationException', message);
}

function itemOf(execution: Execution): object {
  const { arn, stateMachineArn, name, status, startedAt, stoppedAt } = execution;
  return {
    executionArn: arn,
    stateMachineArn,
    name,
    status,
    startDate: startedAt / 1000,
    ...(stoppedAt === undefined ? {} : { stopDate: stoppedAt / 1000 }),
  };
}

function descriptionOf(execution: Execution): object {
  const { input, output, error, cause } = execution;
  return {
    ...itemOf(execution),
    input,
    inputDetails: { included: true },
    ...(output === undefined ? {} : { output, outputDetails: { included: true } }),
    ...(error === undefined ? {} : { error }),
    ...(cause === undefined ? {} : { cause }),
    redriveCount: 0,
  };
}
