/**
 * The price list: us-east-1, US dollars, on demand, without free tiers (an account's other work uses them up), as
 * collected on 2026-11-23. Where a source is a third party, or two disagree, the price is marked `uncertain`; look
 * those up on AWS's pages before relying on a bill in which they weigh.
 */
export const PRICES_COLLECTED = '2026-11-23';

/** The only Region that there are prices of. */
export const REGION = 'us-east-1';

/** Up to so many units a month, each unit costs so much; the last tier has no end. */
export interface Tier {
  readonly upTo: number;
  readonly dollars: number;
}

/** What one thing costs. */
export interface Price {
  readonly service: string;
  /** What is counted, in the plural. */
  readonly unit: string;
  readonly tiers: readonly Tier[];
  readonly source: string;
  readonly uncertain?: true;
}

const MILLION = 1e6;
const BILLION = 1e9;
const PRICE_LIST = 'aws-facts 7: AWS price list files of September 2026';

function flat(dollars: number): readonly Tier[] {
  return [{ upTo: Number.POSITIVE_INFINITY, dollars }];
}

/** Every price that a bill uses. */
export const PRICES = {
  socketMessages: {
    service: 'API Gateway WebSocket API',
    unit: 'messages of up to 32 KB, in and out',
    tiers: [
      { upTo: BILLION, dollars: 1 / MILLION },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.8 / MILLION },
    ],
    source: PRICE_LIST,
  },
  connectionMinutes: {
    service: 'API Gateway WebSocket API',
    unit: 'minutes of connection',
    tiers: flat(0.25 / MILLION),
    source: PRICE_LIST,
  },
  httpRequests: {
    service: 'API Gateway HTTP API',
    unit: 'requests of up to 512 KB',
    tiers: [
      { upTo: 300 * MILLION, dollars: 1 / MILLION },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.9 / MILLION },
    ],
    source: PRICE_LIST,
  },
  invocations: {
    service: 'Lambda',
    unit: 'invocations',
    tiers: flat(0.2 / MILLION),
    source: PRICE_LIST,
  },
  gigabyteSeconds: {
    service: 'Lambda',
    unit: 'GB-seconds, arm64',
    tiers: [
      { upTo: 7.5 * BILLION, dollars: 0.0000133334 },
      { upTo: 18.75 * BILLION, dollars: 0.0000120001 },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.0000106667 },
    ],
    source: `${PRICE_LIST}; tiers: https://aws.amazon.com/blogs/compute/introducing-tiered-pricing-for-aws-lambda/`,
  },
  writeUnits: {
    service: 'DynamoDB',
    unit: 'write request units',
    tiers: flat(0.625 / MILLION),
    source: PRICE_LIST,
  },
  readUnits: {
    service: 'DynamoDB',
    unit: 'read request units',
    tiers: flat(0.125 / MILLION),
    source: PRICE_LIST,
  },
  tableGigabytes: {
    service: 'DynamoDB',
    unit: 'GB-months of storage',
    tiers: flat(0.25),
    source: PRICE_LIST,
  },
  recoveryGigabytes: {
    service: 'DynamoDB',
    unit: 'GB-months of point-in-time recovery',
    tiers: flat(0.2),
    source: 'https://aws.amazon.com/dynamodb/pricing/on-demand/',
    uncertain: true,
  },
  streamReads: {
    service: 'DynamoDB Streams',
    unit: 'records, read by Lambda',
    tiers: flat(0),
    source: 'aws-facts 3.2: reads by Lambda triggers are free',
  },
  queueRequests: {
    service: 'SQS',
    unit: 'requests, those of Lambda’s pollers included',
    tiers: [
      { upTo: 100 * BILLION, dollars: 0.4 / MILLION },
      { upTo: 200 * BILLION, dollars: 0.3 / MILLION },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.24 / MILLION },
    ],
    source: 'https://cloudburn.io/blog/amazon-sqs-pricing (March 2026)',
    uncertain: true,
  },
  objectWrites: {
    service: 'S3',
    unit: 'PUT, POST and LIST requests',
    tiers: flat(0.005 / 1_000),
    source: 'aws-facts 7, not re-sourced',
    uncertain: true,
  },
  objectReads: {
    service: 'S3',
    unit: 'GET and HEAD requests',
    tiers: flat(0.0004 / 1_000),
    source: 'aws-facts 7, not re-sourced',
    uncertain: true,
  },
  objectGigabytes: {
    service: 'S3',
    unit: 'GB-months of storage',
    tiers: [
      { upTo: 51_200, dollars: 0.023 },
      { upTo: 512_000, dollars: 0.022 },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.021 },
    ],
    source: 'aws-facts 7 (first tier), not re-sourced',
    uncertain: true,
  },
  events: {
    service: 'EventBridge',
    unit: 'events of S3, which are opt-in',
    tiers: flat(1 / MILLION),
    source: 'https://aws.amazon.com/eventbridge/pricing/ names S3’s as opt-in; others call them free',
    uncertain: true,
  },
  logGigabytes: {
    service: 'CloudWatch',
    unit: 'GB of logs taken in',
    tiers: [
      { upTo: 10_240, dollars: 0.5 },
      { upTo: 30_720, dollars: 0.25 },
      { upTo: 51_200, dollars: 0.1 },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.05 },
    ],
    source: 'https://aws.amazon.com/cloudwatch/pricing/ (logs of Lambda and of API Gateway are vended logs)',
    uncertain: true,
  },
  figures: {
    service: 'CloudWatch',
    unit: 'custom metrics a month',
    tiers: flat(0.3),
    source: 'https://signoz.io/guides/cloudwatch-pricing (February 2026)',
    uncertain: true,
  },
  alarms: {
    service: 'CloudWatch',
    unit: 'metrics that alarms watch',
    tiers: flat(0.1),
    source: 'https://aws.amazon.com/cloudwatch/pricing/',
    uncertain: true,
  },
  secrets: {
    service: 'Secrets Manager',
    unit: 'secrets a month',
    tiers: flat(0.4),
    source: 'https://aws.amazon.com/secrets-manager/pricing/',
    uncertain: true,
  },
  secretCalls: {
    service: 'Secrets Manager',
    unit: 'calls',
    tiers: flat(0.05 / 10_000),
    source: 'https://aws.amazon.com/secrets-manager/pricing/',
    uncertain: true,
  },
  outGigabytes: {
    service: 'Data transfer',
    unit: 'GB to the internet',
    tiers: [
      { upTo: 10_240, dollars: 0.09 },
      { upTo: 51_200, dollars: 0.085 },
      { upTo: 153_600, dollars: 0.07 },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.05 },
    ],
    source: 'aws-facts 7 (first tier), not re-sourced',
    uncertain: true,
  },
  brokerMessages: {
    service: 'IoT Core',
    unit: 'messages of up to 5 KB, in, out, retained and acknowledged',
    tiers: [
      { upTo: BILLION, dollars: 1 / MILLION },
      { upTo: 5 * BILLION, dollars: 0.8 / MILLION },
      { upTo: Number.POSITIVE_INFINITY, dollars: 0.7 / MILLION },
    ],
    source: 'aws-facts 7; the end of the second tier is not re-sourced',
    uncertain: true,
  },
  transitions: {
    service: 'Step Functions',
    unit: 'state transitions of Standard workflows',
    tiers: flat(0.025 / 1_000),
    source: 'https://aws.amazon.com/step-functions/pricing/, and aws-facts 7',
  },
  fileWrites: {
    service: 'EFS',
    unit: 'GB written, elastic throughput',
    tiers: flat(0.06),
    source:
      'https://www.factualminds.com/blog/amazon-efs-pricing-throughput-modes-storage-classes/ (June 2026)',
    uncertain: true,
  },
  fileReads: {
    service: 'EFS',
    unit: 'GB read, elastic throughput',
    tiers: flat(0.03),
    source:
      'https://www.factualminds.com/blog/amazon-efs-pricing-throughput-modes-storage-classes/ (June 2026)',
    uncertain: true,
  },
  fileGigabytes: {
    service: 'EFS',
    unit: 'GB-months of storage',
    tiers: flat(0.3),
    source: 'aws-facts 7, not re-sourced',
    uncertain: true,
  },
  brokerMinutes: {
    service: 'IoT Core',
    unit: 'minutes of connection',
    tiers: flat(0.08 / MILLION),
    source: 'aws-facts 7',
  },
} as const satisfies Readonly<Record<string, Price>>;

/** What can be counted. */
export type Meter = keyof typeof PRICES;

/** What so many units a month cost, in dollars: each tier's units at its price. */
export function costOf(meter: Meter, quantity: number): number {
  let cost = 0;
  let from = 0;
  for (const { upTo, dollars } of PRICES[meter].tiers) {
    cost += Math.max(0, Math.min(quantity, upTo) - from) * dollars;
    from = upTo;
  }
  return cost;
}
