import type { Readable } from 'node:stream';
import type { Upload } from '../protocol/http.ts';
import type { Input, Job, JobError, JobResult, Progress, Step } from '../protocol/job.ts';
import type { Status } from '../protocol/status.ts';
import type { CompletedPart, UploadedPart } from '../protocol/upload.ts';
import type { ByteRange } from './workspace.ts';

/**
 * What the stages ask of the world. `handlers/aws` answers with AWS; `handlers/memory` (tests, benchmarks)
 * answers from memory, and the same conformance suite runs on both.
 */

/** A job as it is stored: its public state, and what only handlers see. */
export interface JobRecord {
  readonly job: Job;
  /** Whom the job belongs to: the subject that the API's authorizer named, or `anonymous`. */
  readonly owner: string;
  /** How the payload is uploaded. */
  readonly upload: 'put' | 'post' | 'multipart';
  /** S3's id of the upload in parts; present where `upload` is `multipart`. */
  readonly uploadId?: string;
  /** The CRC-32 that the payload was announced with, in base64; S3 holds the upload to it. */
  readonly crc32?: string;
  /**
   * The part of `progress.fraction` that the upload took, from 0 to 1; present once the upload reported progress.
   * What follows shares the rest.
   */
  readonly uploadShare?: number;
  /** When an upload that has not come makes the job expire; RFC 3339. */
  readonly uploadUntil: string;
  /** Hash of the request that made the job, compared when an idempotency key comes again. */
  readonly fingerprint: string;
  /** The entity tag of the object that was uploaded, quotes included; present from `queued` on. */
  readonly objectTag?: string;
  /** How far each range of the work is, where ranges are worked on at the same time; by their numbers. */
  readonly ranges?: readonly RangeDone[];
  /** The execution that works on the job, and until when it need not be heard from; present from `running` on. */
  readonly execution?: Execution;
}

/** Bytes of a range that have been read, and rows among them. */
export type RangeDone = readonly [bytes: number, rows: number];

/** A run of the process function, or of the workflow, on one job. */
export interface Execution {
  readonly id: string;
  /** When the execution counts as lost unless it writes again; RFC 3339. */
  readonly aliveUntil: string;
}

/** What makes a job. Times in RFC 3339. */
export interface NewJob {
  readonly id: string;
  readonly epoch: string;
  readonly kind: string;
  readonly owner: string;
  readonly tags: readonly string[];
  readonly input: Input;
  readonly upload: JobRecord['upload'];
  readonly uploadId?: string;
  readonly crc32?: string;
  readonly fingerprint: string;
  readonly at: string;
  readonly uploadUntil: string;
  readonly expiresAt: string;
}

/**
 * One change of a job. With `to` the job enters that status, which must be allowed to follow; without, the
 * status stays and must be one of `within`. Fields that are not named stay as they are; `stalled` becomes
 * false unless it is named. The database adds 1 to `seq`, and writes `updatedAt`, `startedAt`, `finishedAt`
 * and `history` from `at`.
 */
export interface JobChange {
  /** RFC 3339. */
  readonly at: string;
  readonly to?: Status;
  readonly within?: readonly Status[];
  /** Refuse unless the job is of this epoch. */
  readonly epoch?: string;
  /** Refuse unless this execution works on the job. */
  readonly execution?: string;
  /** Refuse unless the job's `seq` is still this one. */
  readonly seq?: number;
  readonly set?: JobFields;
  /** What the job says no more; harmless where it did not. */
  readonly clear?: readonly ClearableField[];
}

/** What a change may take away: what was said of a part of the work that is over. */
export type ClearableField = 'step' | 'message' | 'ranges';

/** What a change may write. */
export interface JobFields {
  readonly progress?: Progress;
  readonly step?: Step;
  readonly message?: string;
  readonly result?: JobResult;
  readonly error?: JobError;
  readonly stalled?: boolean;
  readonly objectTag?: string;
  readonly uploadShare?: number;
  readonly ranges?: readonly RangeDone[];
  readonly execution?: Execution;
}

/** The jobs table: the only truth. */
export interface Jobs {
  /** @throws JobExistsError with the job that is there; UnavailableError. */
  create(job: NewJob): Promise<JobRecord>;
  /** Strongly consistent. @throws UnavailableError, MalformedDataError. */
  read(id: string): Promise<JobRecord | undefined>;
  /** Strongly consistent, in no order; jobs that do not exist are left out. Any number of ids, each once. */
  readMany(ids: readonly string[]): Promise<readonly JobRecord[]>;
  /**
   * One conditional write. Answers with the job after it.
   * @throws JobNotFoundError; ChangeRefusedError; TooLargeError (nothing was written); UnavailableError.
   */
  change(id: string, change: JobChange): Promise<JobRecord>;
  /**
   * A page of the owner's jobs, newest first. Which jobs there are is eventually consistent, the jobs are read
   * strongly consistent. @throws MalformedDataError for a foreign cursor; UnavailableError.
   */
  list(owner: string, page: { readonly limit: number; readonly cursor?: string }): Promise<JobRecordPage>;
}

/** See `Jobs.list`. */
export interface JobRecordPage {
  readonly records: readonly JobRecord[];
  readonly cursor?: string;
}

/**
 * Whom a change of a job is told to: `job:<id>`, `owner:<subject>` or `tag:<subject>:<tag>`. What a client
 * calls `owner:me` or `tag:<tag>` gets the subject of its ticket here.
 */
export type SubscriptionTopic = `job:${string}` | `owner:${string}` | `tag:${string}`;

/** One connection that watches one topic. Times in RFC 3339. */
export interface Subscription {
  readonly topic: SubscriptionTopic;
  readonly connection: string;
  /** When the connection subscribed, the last time if more than once. */
  readonly since: string;
  /** When the row stops counting, whether it has been deleted by then or not. */
  readonly expiresAt: string;
  /**
   * Until then a 410 does not mean that the connection is gone, only that it is not there yet: API Gateway
   * answers so while $connect runs and shortly after (aws-facts 2). Absent where the connection sent a frame.
   */
  readonly connectingUntil?: string;
}

/** A watcher of a topic, as the publisher sees it. */
export type Watcher = Pick<Subscription, 'connection' | 'connectingUntil'>;

/** A watcher of a topic, as somebody sees it who asks who watches. */
export type Subscriber = Pick<Subscription, 'connection' | 'since'>;

/**
 * A part of a topic's connections, in the table's order (that of their UTF-8 bytes): those behind `after`, up to and
 * with `until`. Bounds are any text, and need be no connection's id.
 */
export interface AudienceRange {
  readonly after?: string;
  readonly until?: string;
}

/** See `Subscriptions.watchers`. */
export interface WantedPage {
  readonly range: AudienceRange;
  /** The most rows that are looked at, those that have expired included. */
  readonly limit: number;
  /** Rows that have expired by then (RFC 3339) are left out. */
  readonly now: string;
}

/** See `Subscriptions.watchers`. */
export interface WatcherPage {
  readonly watchers: readonly Watcher[];
  /** The connection that the page ends with, where rows may follow in the range. */
  readonly next?: string;
  /** How many rows were left out because they are malformed; absent where none was. */
  readonly malformed?: number;
}

/** What a connection said in a ping: the newest `seq` that it has of each job that it has a state of. */
export interface Confirmation {
  readonly connection: string;
  readonly heads: Readonly<Record<string, number>>;
  /** When it pinged; RFC 3339. */
  readonly at: string;
  /** When nobody needs it any more; RFC 3339. */
  readonly expiresAt: string;
}

/** The newest `seq` of one job that a connection has confirmed, and when. */
export interface ConfirmedHead {
  readonly seq: number;
  readonly at: string;
}

/** The subscriptions table. All methods throw UnavailableError. */
export interface Subscriptions {
  /** Writes or renews a row. */
  add(subscription: Subscription): Promise<void>;
  /** Harmless when there is none. */
  remove(topic: SubscriptionTopic, connection: string): Promise<void>;
  /** Removes every row of a connection, and what it confirmed; answers how many rows there were. */
  removeConnection(connection: string): Promise<number>;
  /** The watchers of a topic in one page, strongly consistent. */
  watchers(topic: SubscriptionTopic, page: WantedPage): Promise<WatcherPage>;
  /** The last connection of a range, whether its row has expired or not; strongly consistent. */
  lastWatcher(topic: SubscriptionTopic, range: AudienceRange): Promise<string | undefined>;
  /** Pages of subscribers, eventually consistent, in no order, rows that have expired by `now` (RFC 3339) left out. */
  subscribers(topic: SubscriptionTopic, now: string): AsyncIterable<readonly Subscriber[]>;
  /** Whether there is a row, expired or not; strongly consistent. */
  has(topic: SubscriptionTopic, connection: string): Promise<boolean>;
  /** How many topics a connection watches; eventually consistent. */
  count(connection: string): Promise<number>;
  /**
   * Keeps what a connection confirmed, in place of what it confirmed before. Nothing is written where the same
   * heads are kept, or those of a later ping.
   */
  confirm(confirmation: Confirmation): Promise<void>;
  /** What each of at most 100 connections has confirmed of a job; eventually consistent. */
  confirmedHeads(job: string, connections: readonly string[]): Promise<ReadonlyMap<string, ConfirmedHead>>;
}

/** The open connections. */
export interface Connections {
  /**
   * Sends one text frame.
   * @throws ConnectionGoneError; UnavailableError (throttled, 5xx, time-out); RefusedError.
   */
  post(connection: string, frame: string): Promise<void>;
}

/**
 * A broker that tells everybody who has subscribed to a job, by one message however many they are, and knows a job's
 * retained message, which whoever subscribes later gets first.
 */
export interface Broker {
  /**
   * Tells a job's subscribers a frame, once at least. With `retain` it becomes the job's retained message as well;
   * brokers allow that less often, so it may be throttled where the same without `retain` is not.
   * @throws UnavailableError (throttled, 5xx, time-out: it may have arrived all the same); RefusedError.
   */
  publish(job: string, frame: string, options: { readonly retain: boolean }): Promise<void>;
  /** Removes a job's retained message; subscribers are told an empty one. Harmless where there is none. @throws as above. */
  clear(job: string): Promise<void>;
}

/** A queue. `delaySeconds` from 0 to 900 (SQS's limit); longer ones are cut to it. */
export interface Queue<Message> {
  /** Sends every message, in batches. @throws UnavailableError when some could not be sent, even after retries. */
  send(messages: readonly Message[], options?: { readonly delaySeconds?: number }): Promise<void>;
}

/** The executions of a workflow, where jobs are worked on by one; an execution is started by sending it work. */
export interface Executions {
  /** Stops the execution that works on a job; harmless where there is none, or none any more. @throws UnavailableError. */
  stop(work: { readonly job: string; readonly epoch: string }): Promise<void>;
}

/** The bucket that clients upload to. Objects are named by job and epoch. */
export interface Uploads {
  /** Begins an upload in parts; answers its id, which the job's record must keep. @throws UnavailableError. */
  begin(job: Pick<Job, 'id' | 'epoch' | 'input'>): Promise<string>;
  /**
   * What a client needs for the upload; valid until `until` (RFC 3339). Signs exactly the size and type of `input`,
   * and its CRC-32 where there is one. Of an upload in parts it names at most `MAXIMUM_PART_URLS` parts.
   */
  grant(record: JobRecord, until: string, parts?: WantedParts): Promise<Upload>;
  /**
   * The parts that are there, by number, from number `from` on.
   * @throws UploadNotFoundError where the upload was completed, given up, or deleted; UnavailableError.
   */
  parts(record: JobRecord, from: number): Promise<readonly UploadedPart[]>;
  /**
   * Makes the object of its parts. Done already is done.
   * @throws PartsRefusedError; UploadNotFoundError where there is no upload and no object; UnavailableError.
   */
  complete(record: JobRecord, parts: readonly CompletedPart[]): Promise<void>;
  /** Gives an upload in parts up and deletes its parts; harmless where there is none. @throws UnavailableError. */
  abort(record: JobRecord): Promise<void>;
  /** What has been uploaded. @throws UnavailableError. */
  inspect(record: JobRecord): Promise<UploadedObject | undefined>;
  /**
   * The content, or a range of it, as a stream that must be consumed or destroyed. A range must lie in the object.
   * @throws ObjectNotFoundError; ObjectChangedError when the object is not the one with `record.objectTag`.
   */
  open(record: JobRecord, signal: AbortSignal, range?: ByteRange): Promise<Readable>;
}

/** Which parts an upload is granted for: those from number `from` on, but for those that are `uploaded`. */
export interface WantedParts {
  readonly from: number;
  readonly uploaded: ReadonlySet<number>;
}

/** What S3 says of an object. `size` in bytes; `tag` is its entity tag, quotes included. */
export interface UploadedObject {
  readonly size: number;
  readonly contentType: string;
  readonly tag: string;
}

/** The bucket of results. */
export interface Results {
  /** Writes the result of a job; `body` is small enough to be held in memory. @throws UnavailableError. */
  write(record: JobRecord, body: Uint8Array, contentType: string): Promise<void>;
  /** A download URL that lives for `seconds`. */
  link(record: JobRecord, seconds: number): Promise<string>;
}

/** What a bearer of a ticket may watch. */
export type TicketScope =
  | { readonly kind: 'job'; readonly subject: string; readonly job: string }
  | { readonly kind: 'owner'; readonly subject: string };

/** Tokens and tickets. A token never passes for a ticket, nor a ticket for a token. */
export interface Tokens {
  /** A token that reads, watches and cancels one job until `expiresAt` (RFC 3339). */
  issueJobToken(job: { readonly id: string; readonly owner: string }, expiresAt: string): Promise<string>;
  /** @throws InvalidTokenError. */
  verifyJobToken(token: string): Promise<{ readonly job: string; readonly owner: string }>;
  /** A ticket for one connect. */
  issueTicket(scope: TicketScope): Promise<{ readonly ticket: string; readonly expiresAt: string }>;
  /** @throws InvalidTokenError. */
  verifyTicket(ticket: string): Promise<TicketScope>;
}

/** Where a function says what it did. Fields must hold no token, ticket or presigned URL. */
export interface Log {
  info(message: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields?: Readonly<Record<string, unknown>>): void;
  error(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

/** Figures that an alarm or a graph is made of. */
export interface Meter {
  count(name: string, value: number): void;
  milliseconds(name: string, value: number): void;
}

/** The time. */
export type Now = () => Date;
