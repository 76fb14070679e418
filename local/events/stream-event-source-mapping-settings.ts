import type { DynamoDBStreamsClient } from '@aws-sdk/client-dynamodb-streams';
import type { Clock } from '../clock.ts';
import type { InvokableFunction } from '../functions/invocation.ts';

/** `AWS::Lambda::EventSourceMapping` of a DynamoDB stream; the defaults are those of AWS (aws-facts 3.3). */
export interface StreamEventSourceMappingSettings {
  readonly client: DynamoDBStreamsClient;
  /** The ARN by which the stream is read; DynamoDB Local's own says `ddblocal` for the Region. */
  readonly streamArn: string;
  /** The ARN that records carry, if another. */
  readonly eventSourceArn?: string;
  readonly target: InvokableFunction;
  readonly startingPosition: 'TRIM_HORIZON' | 'LATEST';
  /** 100 by default. */
  readonly batchSize?: number;
  /** 0 by default. */
  readonly maximumBatchingWindowInSeconds?: number;
  /** 1 by default. */
  readonly parallelizationFactor?: number;
  /** `FilterCriteria.Filters[].Pattern`. */
  readonly filterPatterns?: readonly string[];
  readonly reportBatchItemFailures?: boolean;
  readonly bisectBatchOnFunctionError?: boolean;
  /** -1, without end, by default. */
  readonly maximumRetryAttempts?: number;
  /** -1, without limit, by default. DynamoDB rounds a record's time down to the minute. */
  readonly maximumRecordAgeInSeconds?: number;
  /** Sends the message to `DestinationConfig.OnFailure`. */
  readonly sendToDestination?: (body: string) => Promise<void>;
  /** Keeps progress over restarts; absolute path. */
  readonly checkpointFile?: string;
  readonly clock?: Clock;
  readonly log: (line: string) => void;
}
