import type { Node } from 'constructs';
import { nearestSetting, SETTING_NAMES, type SettingName, unknownSetting } from './setting-names.ts';

/** Who may call. `open` makes every caller `anonymous`. */
export type Auth = 'open';

/** Who tells `object-created` of an upload: EventBridge, or the bucket itself. */
export type UploadEvents = 'eventbridge' | 's3-notifications';

/** Who processes uploads: a function that takes jobs off the work queue, or a workflow, which has no such queue. */
export type ProcessingSetting =
  | {
      readonly by: 'lambda';
      /** How many jobs are processed at a time, from 2 to 1,000 (SQS's limits of a maximum concurrency). */
      readonly concurrentJobs: number;
    }
  | {
      /** With `efs` the object is fetched once, to a file system that the steps share. */
      readonly by: 'step-functions' | 'step-functions-efs';
      /**
       * How many ranges of one job are profiled at a time, from 1 to 20: each second all of them write into its item, and
       * each write that another was quicker than is made again (handlers/process/workflow/step-reporter.ts).
       */
      readonly concurrentRanges: number;
    };

/** Who tells watchers besides the WebSocket API: nobody, or a broker to which a change is published once. */
export type BroadcastSetting =
  | { readonly by: 'none' }
  | {
      readonly by: 'iot-core';
      /** Where `publish` publishes: `https://HOST`, without a path. */
      readonly publishUrl: string;
      /** Where clients subscribe: `wss://HOST/mqtt`. */
      readonly watchUrl: string;
    };

/** What whoever deploys decides: context of the CDK, `-c name=value` or `context` of cdk.json. */
export interface Settings {
  readonly auth: Auth;
  /** What `cdk destroy` does with jobs, uploads and results: keeps them (`retain`) or deletes them (`destroy`; CloudFormation deletes only empty buckets). */
  readonly data: 'retain' | 'destroy';
  readonly uploadEvents: UploadEvents;
  readonly processing: ProcessingSetting;
  readonly broadcast: BroadcastSetting;
  /** How many megabytes (2^20 bytes) of a file a step of a workflow profiles, from 1 to 4,096. */
  readonly rangeMegabytes: number;
  /** How many posts a second may be made to large audiences, from 100 to 1,000,000. */
  readonly postsPerSecond: number;
  /** Who is told of an alarm; without, alarms are only seen in the console. */
  readonly alarmEmail?: string;
  /**
   * Whose scripts may call the API, upload and read results, besides the page's: origins as browsers write them,
   * or `*` alone for everybody's. That is no hole: tokens are sent by scripts that have them, not by browsers
   * (as cookies would be), so a foreign page can do no more than its reader can do by hand.
   */
  readonly origins: readonly string[];
}

/** A setting is missing, has no meaning, or has none beside another. The message says which one, and what to write instead. */
export class ConfigurationError extends Error {
  override readonly name = 'ConfigurationError';
}

/**
 * Reads and checks the settings of an app; the only reader of context.
 * @throws ConfigurationError for the first setting that is missing, has no meaning, or has none beside another; and for
 *   what is no setting, since whoever misspells one would get the default, and may lose what the stack has.
 */
export function readSettings(node: Node): Settings {
  const unknown = unknownSetting(node.getAllContext());
  if (unknown !== undefined) {
    throw new ConfigurationError(
      `There is no setting "${unknown}": say "-c ${nearestSetting(unknown)}=…" if that is meant, or leave it out; ` +
        `the settings are ${SETTING_NAMES.join(', ')}.`,
    );
  }
  const given = (name: SettingName): unknown => node.tryGetContext(name);
  const alarmEmail = readAlarmEmail(given('alarmEmail'));
  return {
    auth: readAuth(given('auth')),
    data: readData(given('data')),
    uploadEvents: readUploadEvents(given('uploadEvents')),
    processing: readProcessing(given('processing'), {
      jobs: given('concurrentJobs'),
      ranges: given('concurrentRanges'),
    }),
    rangeMegabytes: readRangeMegabytes(given('rangeMegabytes')),
    broadcast: readBroadcast(given('broadcast'), given('iotEndpoint')),
    postsPerSecond: readPostsPerSecond(given('postsPerSecond')),
    ...(alarmEmail === undefined ? {} : { alarmEmail }),
    origins: readOrigins(given('origins')),
  };
}

function readAuth(value: unknown): Auth {
  if (value === 'open') return value;
  const found = value === undefined ? 'is not set' : `cannot be ${JSON.stringify(value)}`;
  throw new ConfigurationError(
    `The setting "auth" ${found}: say "-c auth=open" if everybody who knows the URL may call, all of them ` +
      'as the one caller "anonymous" who sees, watches and cancels every job.',
  );
}

function readData(value: unknown): Settings['data'] {
  if (value === undefined) return 'retain'; // losing data must be asked for
  if (value === 'retain' || value === 'destroy') return value;
  throw new ConfigurationError(
    `The setting "data" cannot be ${JSON.stringify(value)}: say "-c data=retain" or "-c data=destroy".`,
  );
}

function readUploadEvents(value: unknown): UploadEvents {
  if (value === undefined) return 'eventbridge';
  if (value === 'eventbridge' || value === 's3-notifications') return value;
  throw new ConfigurationError(
    `The setting "uploadEvents" cannot be ${JSON.stringify(value)}: say "-c uploadEvents=eventbridge" or ` +
      '"-c uploadEvents=s3-notifications".',
  );
}

function readProcessing(
  value: unknown,
  concurrent: { readonly jobs: unknown; readonly ranges: unknown },
): ProcessingSetting {
  if (value === undefined || value === 'lambda') {
    if (concurrent.ranges === undefined) {
      return { by: 'lambda', concurrentJobs: readConcurrentJobs(concurrent.jobs) };
    }
    throw new ConfigurationError(
      'The setting "concurrentRanges" means nothing with "processing=lambda", whose one function profiles all ranges: ' +
        'add "-c processing=step-functions" or "-c processing=step-functions-efs", or leave it out.',
    );
  }
  if (value !== 'step-functions' && value !== 'step-functions-efs') {
    throw new ConfigurationError(
      `The setting "processing" cannot be ${JSON.stringify(value)}: say "-c processing=lambda", ` +
        '"-c processing=step-functions" or "-c processing=step-functions-efs".',
    );
  }
  if (concurrent.jobs === undefined)
    return { by: value, concurrentRanges: readConcurrentRanges(concurrent.ranges) };
  throw new ConfigurationError(
    `The setting "concurrentJobs" means nothing with "processing=${value}": it limits the work queue, which only ` +
      '"processing=lambda" has, while workflows start at once; leave one of the two out.',
  );
}

function readConcurrentJobs(value: unknown): number {
  // Half of the concurrency that a new account has (10, aws-facts 6), so that processing cannot starve the rest.
  if (value === undefined) return 5;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 2 && number <= 1000) return number;
  throw new ConfigurationError(
    `The setting "concurrentJobs" cannot be ${JSON.stringify(value)}: say a whole number from 2 to 1000.`,
  );
}

function readConcurrentRanges(value: unknown): number {
  // Half of the concurrency that a new account has, too: one large job leaves the API and the socket the rest.
  if (value === undefined) return 5;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 20) return number;
  throw new ConfigurationError(
    `The setting "concurrentRanges" cannot be ${JSON.stringify(value)}: say a whole number from 1 to 20.`,
  );
}

function readRangeMegabytes(value: unknown): number {
  // Takes a step some seconds, which its start is worth (handlers/process/csv-profile/profiling-limits.ts).
  if (value === undefined) return 128;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 1 && number <= 4096) return number;
  throw new ConfigurationError(
    `The setting "rangeMegabytes" cannot be ${JSON.stringify(value)}: say a whole number from 1 to 4096.`,
  );
}

function readPostsPerSecond(value: unknown): number {
  // Half of what an account has for all of its APIs (10,000 requests a second, aws-facts 1.8).
  if (value === undefined) return 5000;
  const number = Number(value);
  if (Number.isInteger(number) && number >= 100 && number <= 1_000_000) return number;
  throw new ConfigurationError(
    `The setting "postsPerSecond" cannot be ${JSON.stringify(value)}: say a whole number from 100 to 1000000, ` +
      'at most half of the requests a second that API Gateway allows your account (10000 unless raised).',
  );
}

function readAlarmEmail(value: unknown): string | undefined {
  if (value === undefined) return undefined;
  if (typeof value === 'string' && /^[^\s@]+@[^\s@]+$/.test(value)) return value;
  throw new ConfigurationError(
    `The setting "alarmEmail" cannot be ${JSON.stringify(value)}: say an address, "-c alarmEmail=you@example.com".`,
  );
}

function readBroadcast(value: unknown, iotEndpoint: unknown): BroadcastSetting {
  if (value === 'iot-core') return { by: value, ...readIotEndpoint(iotEndpoint) };
  if (value !== undefined && value !== 'none') {
    throw new ConfigurationError(
      `The setting "broadcast" cannot be ${JSON.stringify(value)}: say "-c broadcast=none" or "-c broadcast=iot-core".`,
    );
  }
  if (iotEndpoint === undefined) return { by: 'none' };
  throw new ConfigurationError(
    'The setting "iotEndpoint" means nothing without "-c broadcast=iot-core": add that, or leave it out.',
  );
}

/** How an account's IoT endpoint is found: it is not one of the things that CloudFormation knows. */
const FIND_ENDPOINT =
  'say the host that "aws iot describe-endpoint --endpoint-type iot:Data-ATS" prints for the account and Region, ' +
  '"-c iotEndpoint=abc123-ats.iot.eu-west-1.amazonaws.com"';

const LABEL = '[a-z0-9](?:[a-z0-9-]*[a-z0-9])?';
const HOST = new RegExp(`^(?:${LABEL}\\.)+${LABEL}$`);

/** An account's own host, or a domain of its own (an IoT domain configuration); or a broker on this machine. */
function readIotEndpoint(value: unknown): { readonly publishUrl: string; readonly watchUrl: string } {
  if (value === undefined) {
    throw new ConfigurationError(
      `The setting "iotEndpoint" is not set, and "broadcast=iot-core" needs it: ${FIND_ENDPOINT}.`,
    );
  }
  const [, here] =
    typeof value === 'string' ? (/^http:\/\/((?:127\.0\.0\.1|localhost):\d+)$/.exec(value) ?? []) : [];
  if (here !== undefined && URL.canParse(`http://${here}`)) {
    return { publishUrl: `http://${here}`, watchUrl: `ws://${here}/mqtt` };
  }
  if (typeof value !== 'string' || !HOST.test(value) || /^[\d.]+$/.test(value)) {
    throw new ConfigurationError(
      `The setting "iotEndpoint" cannot be ${JSON.stringify(value)}: ${FIND_ENDPOINT}, without "https://" and path.`,
    );
  }
  // The endpoints without `-ats`, and those for other purposes, show browsers certificates that they do not trust.
  if (/\.amazonaws\.com(\.cn)?$/.test(value) && !/-ats\.iot\./.test(value)) {
    throw new ConfigurationError(
      `The setting "iotEndpoint" cannot be "${value}", which is no endpoint for browsers: ${FIND_ENDPOINT}.`,
    );
  }
  return { publishUrl: `https://${value}`, watchUrl: `wss://${value}/mqtt` };
}

/** Text with commas, as the command line gives it; in cdk.json a list, too. */
function readOrigins(value: unknown): readonly string[] {
  if (value === undefined) return [];
  const listed: readonly unknown[] = typeof value === 'string' ? value.split(',') : [value].flat();
  const origins = listed.map((item) => (typeof item === 'string' ? item.trim() : item));
  if (origins.length === 1 && origins[0] === '*') return ['*'];
  return [...new Set(origins.map(readOrigin))];
}

/** Browsers compare letter by letter, so what is nearly an origin is refused instead of never matching. */
function readOrigin(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || typeof value !== 'string' || value.includes('*') || url.origin === 'null') {
    throw new ConfigurationError(
      `The setting "origins" cannot hold ${JSON.stringify(value)}: say whole origins with commas between them, ` +
        '"-c origins=https://app.example.com,https://admin.example.com", or "*" alone, which is every page\'s.',
    );
  }
  const isHere = ['localhost', '127.0.0.1', '[::1]'].includes(url.hostname);
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && isHere)) {
    throw new ConfigurationError(
      `The setting "origins" cannot hold ${JSON.stringify(value)}: say an origin of https, ` +
        'or of http at localhost or 127.0.0.1.',
    );
  }
  if (value === url.origin) return value;
  throw new ConfigurationError(
    `The setting "origins" cannot hold ${JSON.stringify(value)}: browsers send "${url.origin}", say that.`,
  );
}
