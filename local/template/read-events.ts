import * as v from 'valibot';
import { StartError } from '../errors.ts';
import { attributeOf, FlagSchema, NumberSchema, readProperties, type Stack } from './properties.ts';
import type { InvokePermissions } from './read-permissions.ts';
import { resourcesOfType } from './template.ts';

const DestinationSchema = v.strictObject({
  OnFailure: v.exactOptional(v.strictObject({ Destination: v.string() })),
});

const EventSourceMappingSchema = v.strictObject({
  EventSourceArn: v.string(),
  FunctionName: v.string(),
  BatchSize: v.exactOptional(NumberSchema),
  BisectBatchOnFunctionError: v.optional(FlagSchema, false),
  DestinationConfig: v.optional(DestinationSchema, {}),
  Enabled: v.optional(FlagSchema, true),
  FilterCriteria: v.optional(v.strictObject({ Filters: v.array(v.strictObject({ Pattern: v.string() })) }), {
    Filters: [],
  }),
  FunctionResponseTypes: v.optional(v.array(v.literal('ReportBatchItemFailures')), []),
  MaximumBatchingWindowInSeconds: v.optional(NumberSchema, 0),
  MaximumRecordAgeInSeconds: v.exactOptional(NumberSchema),
  MaximumRetryAttempts: v.exactOptional(NumberSchema),
  ParallelizationFactor: v.exactOptional(NumberSchema),
  ScalingConfig: v.optional(v.strictObject({ MaximumConcurrency: v.exactOptional(NumberSchema) }), {}),
  StartingPosition: v.optional(v.picklist(['TRIM_HORIZON', 'LATEST']), 'TRIM_HORIZON'),
});

/** An event source mapping: a stream or a queue, by its ARN, that invokes a function, by its name. */
export interface EventSourceMappingDeclaration {
  readonly logicalId: string;
  readonly source: 'dynamodb' | 'sqs';
  readonly eventSourceArn: string;
  readonly functionName: string;
  readonly batchSize: number | undefined;
  readonly bisectBatchOnFunctionError: boolean;
  readonly onFailureArn: string | undefined;
  readonly filterPatterns: readonly string[];
  readonly reportBatchItemFailures: boolean;
  readonly maximumBatchingWindowInSeconds: number;
  readonly maximumRecordAgeInSeconds: number | undefined;
  readonly maximumRetryAttempts: number | undefined;
  readonly parallelizationFactor: number | undefined;
  readonly maximumConcurrency: number | undefined;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
}

/** The event source mappings that are enabled. */
export function readEventSourceMappings(stack: Stack): readonly EventSourceMappingDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::Lambda::EventSourceMapping').flatMap((resource) => {
    const properties = readProperties(stack, resource, EventSourceMappingSchema, ['Tags']);
    if (!properties.Enabled) return [];
    return [
      {
        logicalId: resource.logicalId,
        source: sourceOf(properties.EventSourceArn),
        eventSourceArn: properties.EventSourceArn,
        functionName: functionNameOf(properties.FunctionName),
        batchSize: properties.BatchSize,
        bisectBatchOnFunctionError: properties.BisectBatchOnFunctionError,
        onFailureArn: properties.DestinationConfig.OnFailure?.Destination,
        filterPatterns: properties.FilterCriteria.Filters.map(({ Pattern }) => Pattern),
        reportBatchItemFailures: properties.FunctionResponseTypes.length > 0,
        maximumBatchingWindowInSeconds: properties.MaximumBatchingWindowInSeconds,
        maximumRecordAgeInSeconds: properties.MaximumRecordAgeInSeconds,
        maximumRetryAttempts: properties.MaximumRetryAttempts,
        parallelizationFactor: properties.ParallelizationFactor,
        maximumConcurrency: properties.ScalingConfig.MaximumConcurrency,
        startingPosition: properties.StartingPosition,
      },
    ];
  });
}

const RuleSchema = v.strictObject({
  EventPattern: v.record(v.string(), v.unknown()),
  State: v.optional(v.picklist(['ENABLED', 'DISABLED']), 'ENABLED'),
  Targets: v.array(
    v.strictObject({
      Arn: v.string(),
      Id: v.string(),
      DeadLetterConfig: v.optional(v.strictObject({ Arn: v.string() })),
      RetryPolicy: v.optional(
        v.strictObject({
          MaximumEventAgeInSeconds: v.exactOptional(NumberSchema),
          MaximumRetryAttempts: v.exactOptional(NumberSchema),
        }),
        {},
      ),
    }),
  ),
});

/** A rule on the default event bus with its targets, which are functions, by their ARNs. */
export interface RuleDeclaration {
  readonly arn: string;
  readonly pattern: Readonly<Record<string, unknown>>;
  readonly targets: readonly {
    readonly functionArn: string;
    readonly deadLetterArn: string | undefined;
    readonly maximumEventAgeInSeconds: number | undefined;
    readonly maximumRetryAttempts: number | undefined;
  }[];
}

/**
 * The rules that are enabled.
 * @throws StartError when a rule may not invoke the function of a target.
 */
export function readRules(stack: Stack, permissions: InvokePermissions): readonly RuleDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::Events::Rule').flatMap((resource) => {
    const properties = readProperties(stack, resource, RuleSchema, ['Description', 'Name', 'Tags']);
    if (properties.State === 'DISABLED') return [];
    const arn = attributeOf(stack, resource.logicalId, 'Arn');
    return [
      {
        arn,
        pattern: properties.EventPattern,
        targets: properties.Targets.map((target) => {
          permissions.require('events', arn, target.Arn);
          return {
            functionArn: target.Arn,
            deadLetterArn: target.DeadLetterConfig?.Arn,
            maximumEventAgeInSeconds: target.RetryPolicy.MaximumEventAgeInSeconds,
            maximumRetryAttempts: target.RetryPolicy.MaximumRetryAttempts,
          };
        }),
      },
    ];
  });
}

const EventInvokeConfigSchema = v.strictObject({
  FunctionName: v.string(),
  Qualifier: v.literal('$LATEST'),
  DestinationConfig: v.optional(DestinationSchema, {}),
  MaximumEventAgeInSeconds: v.exactOptional(NumberSchema),
  MaximumRetryAttempts: v.exactOptional(NumberSchema),
});

/** How a function is invoked asynchronously. */
export interface EventInvokeConfigDeclaration {
  readonly functionName: string;
  readonly onFailureArn: string | undefined;
  readonly maximumEventAgeInSeconds: number | undefined;
  readonly maximumRetryAttempts: number | undefined;
}

/** The settings of asynchronous invocations, of the functions that have some. */
export function readEventInvokeConfigs(stack: Stack): readonly EventInvokeConfigDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::Lambda::EventInvokeConfig').map((resource) => {
    const properties = readProperties(stack, resource, EventInvokeConfigSchema);
    return {
      functionName: functionNameOf(properties.FunctionName),
      onFailureArn: properties.DestinationConfig.OnFailure?.Destination,
      maximumEventAgeInSeconds: properties.MaximumEventAgeInSeconds,
      maximumRetryAttempts: properties.MaximumRetryAttempts,
    };
  });
}

function sourceOf(eventSourceArn: string): 'dynamodb' | 'sqs' {
  const service = eventSourceArn.split(':')[2];
  if (service === 'dynamodb' || service === 'sqs') return service;
  throw new StartError(`The local runtime has no event source mapping for ${eventSourceArn}`);
}

/** `FunctionName` may be a name or an ARN. */
function functionNameOf(nameOrArn: string): string {
  return nameOrArn.split(':').at(-1) ?? nameOrArn;
}
