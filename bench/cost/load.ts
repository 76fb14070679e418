/** What a month's bill is made for. Every job is alike. */
export interface Load {
  readonly jobsPerDay: number;
  /** Connections that watch each job, or clients that poll it. */
  readonly watchers: number;
  /** Reports of progress of a job that are written while it is processed; at most ten a second are. */
  readonly updates: number;
  /** From `POST /jobs` to the last byte of the upload. */
  readonly uploadSeconds: number;
  /** From the claim to the end of the work; by a workflow, what one function would take for it. */
  readonly jobSeconds: number;
  /** How long each watcher is connected, or polls; the client closes once the job has ended. */
  readonly watchMinutes: number;
  /** Decimal megabytes. */
  readonly payloadMb: number;
  /** How fast a step copies a payload from S3 to a shared file system; AWS documents no figure. */
  readonly fetchMbPerSecond: number;
  /** Decimal kilobytes. */
  readonly resultKb: number;
  /** The job's item, and its frame, in KB; each begun KB of the item is a write unit. */
  readonly stateKb: number;
  /** Tags of a job; each is one more topic that is asked for watchers. */
  readonly tags: number;
  /** Between two pings of a connection; client/timings.ts (`pingMs`). */
  readonly pingSeconds: number;
  /** Between two polls, on the bill of polling. */
  readonly pollSeconds: number;
  /** Stream records that Lambda hands to one invocation of publish; more where much happens at once. */
  readonly changesPerBatch: number;
  /** The setting `postsPerSecond`: posts a second to all audiences above a thousand watchers together. */
  readonly postsPerSecond: number;
  /** How long one request to DynamoDB, S3, SQS or @connections takes, in milliseconds of a function that waits. */
  readonly requestMs: number;
}

/** How an option of a load is told on the command line. */
export interface LoadOption {
  readonly flag: string;
  readonly help: string;
  readonly minimum: number;
  readonly maximum: number;
  readonly whole?: true;
}

/** The options by their place in a load. */
export const LOAD_OPTIONS: Readonly<Record<keyof Load, LoadOption>> = {
  jobsPerDay: { flag: 'jobs-per-day', help: 'jobs a day', minimum: 0, maximum: 1e11 },
  watchers: { flag: 'watchers', help: 'watchers of each job', minimum: 0, maximum: 1e8 },
  updates: {
    flag: 'updates',
    help: 'written progress reports of each job, at most ten a second of its work',
    minimum: 0,
    maximum: 1e6,
  },
  uploadSeconds: {
    flag: 'upload-seconds',
    help: 'seconds that an upload takes',
    minimum: 0,
    maximum: 86_400,
  },
  jobSeconds: { flag: 'job-seconds', help: 'seconds of work of one function', minimum: 0.1, maximum: 36_000 },
  watchMinutes: {
    flag: 'watch-minutes',
    help: 'minutes that each watcher is connected or polls (default: upload and work)',
    minimum: 0,
    maximum: 43_200,
  },
  payloadMb: {
    flag: 'payload-mb',
    help: 'megabytes of each payload',
    minimum: 0.000_001,
    maximum: 5_000_000,
  },
  fetchMbPerSecond: {
    flag: 'fetch-mb-per-second',
    help: 'megabytes a second that a step copies from S3 to a shared file system',
    minimum: 1,
    maximum: 10_000,
  },
  resultKb: { flag: 'result-kb', help: 'kilobytes of each result', minimum: 0, maximum: 1e9 },
  stateKb: { flag: 'state-kb', help: 'KB of each job’s item and frame', minimum: 0.5, maximum: 16 },
  tags: { flag: 'tags', help: 'tags of each job', minimum: 0, maximum: 10, whole: true },
  pingSeconds: {
    flag: 'ping-seconds',
    help: 'seconds between two pings of a connection',
    minimum: 1,
    maximum: 600,
  },
  pollSeconds: {
    flag: 'poll-seconds',
    help: 'seconds between two polls of a client',
    minimum: 0.1,
    maximum: 3_600,
  },
  changesPerBatch: {
    flag: 'changes-per-batch',
    help: 'changes that one invocation of publish gets, of different jobs',
    minimum: 1,
    maximum: 100,
  },
  postsPerSecond: {
    flag: 'posts-per-second',
    help: 'posts a second to audiences above a thousand watchers, the setting postsPerSecond',
    minimum: 100,
    maximum: 1_000_000,
    whole: true,
  },
  requestMs: {
    flag: 'request-ms',
    help: 'milliseconds that a function waits for a request of its own',
    minimum: 0,
    maximum: 1_000,
  },
};

/** What one function of Lambda can do, in seconds: 15 minutes (aws-facts 6), less what it keeps for the end. */
export const LONGEST_FUNCTION = 890;

/** What is not said. `pingSeconds` is the client's own, `postsPerSecond` that of infrastructure/settings.ts. */
export const DEFAULT_LOAD: Omit<Load, 'watchMinutes'> = {
  jobsPerDay: 10_000,
  watchers: 1,
  updates: 20,
  uploadSeconds: 10,
  jobSeconds: 60,
  payloadMb: 10,
  fetchMbPerSecond: 75,
  resultKb: 10,
  stateKb: 1,
  tags: 0,
  pingSeconds: 25,
  pollSeconds: 2,
  changesPerBatch: 1,
  postsPerSecond: 5_000,
  requestMs: 5,
};

/** The most progress reports that are written in a second (handlers/process/progress-reporter.ts). */
const REPORTS_PER_SECOND = 10;

/** A load has a value without meaning. The message names the option and says what to write instead. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
}

/**
 * The whole of a load that says only what differs from `DEFAULT_LOAD`; without `watchMinutes`, each watcher stays
 * from the job's creation to its end.
 * @throws LoadError for the first value that is out of its range.
 */
export function loadOf(said: Partial<Load>): Load {
  const known = { ...DEFAULT_LOAD, ...said };
  const watchMinutes = said.watchMinutes ?? (known.uploadSeconds + known.jobSeconds) / 60;
  const load: Load = { ...known, watchMinutes };
  for (const [name, option] of Object.entries(LOAD_OPTIONS)) {
    checkRange(load[name as keyof Load], option); // Object.entries forgets the type of its keys
  }
  if (load.updates > load.jobSeconds * REPORTS_PER_SECOND) {
    throw new LoadError(
      `--updates ${load.updates} cannot be: work of ${load.jobSeconds} seconds writes at most ` +
        `${load.jobSeconds * REPORTS_PER_SECOND} reports, ten a second; say less, or more --job-seconds`,
    );
  }
  return load;
}

function checkRange(value: number, { flag, minimum, maximum, whole }: LoadOption): void {
  const isInRange = value >= minimum && value <= maximum; // false of NaN
  if (isInRange && (whole === undefined || Number.isInteger(value))) return;
  const kind = whole === undefined ? 'a number' : 'a whole number';
  throw new LoadError(
    `--${flag} must be ${kind} from ${minimum.toLocaleString('en-US')} to ${maximum.toLocaleString('en-US')}`,
  );
}
