import { PORTION } from '../../handlers/publish/concurrency.ts';
import { MULTIPART_ABOVE_BYTES, partCountOf } from '../../protocol/upload.ts';
import { addLargeAudiences, roundsOf, WATCHERS_IN_A_UNIT } from './large-audience.ts';
import type { Load } from './load.ts';
import { costOf, type Meter, PRICES } from './prices.ts';
import { REQUESTS } from './requests.ts';
import { ACCESS_LOG_BYTES, OWN_MILLISECONDS, REQUESTS_AT_A_TIME, Usage } from './usage.ts';

/** A month, in days. */
export const DAYS = 30;

/** Payloads, results and jobs are kept for so many days (infrastructure/uploads.ts; handlers/api/create-job.ts). */
const KEPT_DAYS = 7;

/** A chain of deadlines looks this often at a job, and that of an execution at its execution, in seconds. */
const JOB_LOOK_SECONDS = 900;
const EXECUTION_LOOK_SECONDS = 60;

/** Between two reports of an upload, in seconds (client/upload-report.ts). */
const UPLOAD_REPORT_SECONDS = 1.2;

/** A silent execution looks every two seconds, and gives a sign of life every twenty (progress-reporter.ts). */
const LOOK_SECONDS = 2;
const SIGN_OF_LIFE_SECONDS = 20;

/** The age at which a client changes its connection, in minutes (client/timings.ts, `rotateMs`). */
const ROTATION_MINUTES = 110;

/** Answers, in bytes, headers included: what `POST /jobs` says (grant, token, ticket), a ticket, a 304, a pong. */
const CREATED_BYTES = 4_000;
const TICKET_BYTES = 1_000;
const NOT_MODIFIED_BYTES = 300;
const PONG_BYTES = 30;

/** The most URLs of parts in one answer (protocol/upload.ts, `MAXIMUM_PART_URLS`). */
const URLS_IN_AN_ANSWER = 200;

/** Metrics of ours: each name once a service that counts it. */
const CUSTOM_METRICS = 16;

/** Metrics that alarms watch, at least (infrastructure/alarms.ts); test/infrastructure/cost.test.ts counts them. */
export const ALARM_METRICS = 28;

/** Queues that Lambda polls, by five pollers of 20 seconds each, empty or not; at least, counted there, too. */
export const POLLED_QUEUES = 4;
const EMPTY_POLLS_PER_DAY = (5 * 86_400) / 20;

/** Two versions of the secret, every five minutes, by each environment of `api` and `authorize`; say, of four. */
const SECRET_CALLS_PER_DAY = 4 * 2 * (86_400 / 300);

const GIGABYTE = 1e9;
const KILOBYTE = 1_024;

/** One line of a bill. */
export interface Item {
  readonly meter: Meter;
  readonly quantity: number;
  /** Of the first unit; larger quantities may have cheaper tiers. */
  readonly unitPrice: number;
  readonly dollars: number;
}

/** A part of a bill, its items in the order of the price list. */
export interface Section {
  readonly items: readonly Item[];
  readonly dollars: number;
}

/** A month: what both ways need, and what each needs beside. */
export interface Bill {
  /** Making, uploading and processing jobs, whoever watches. */
  readonly common: Section;
  /** What it takes to push: connections, pings, the publisher, posts. */
  readonly push: Section;
  /** What it takes to poll instead, at the load's interval. */
  readonly polling: Section;
}

/** The bill of a month. */
export function billOf(load: Load): Bill {
  return {
    common: section(commonUsage(load)),
    push: section(pushUsage(load)),
    polling: section(pollingUsage(load)),
  };
}

/** States that a watcher hears of, and those that there are behind the creation; fewer in large audiences. */
export function heardOf(load: Load): { readonly heard: number; readonly states: number } {
  const states = changesOf(load) - 1;
  return { heard: roundsOf(load, states), states };
}

/** What polling costs at another interval, in dollars a month, without what is common. */
export function pollingDollars(load: Load, pollSeconds: number): number {
  return section(pollingUsage({ ...load, pollSeconds })).dollars;
}

/**
 * The interval in seconds at which polling costs as much as push; undefined where there is none from a tenth of a
 * second to an hour, and where neither costs anything.
 */
export function equalInterval(load: Load): number | undefined {
  const { dollars } = section(pushUsage(load));
  if (dollars === 0) return undefined;
  let shortest = 0.1;
  let longest = 3_600;
  if (pollingDollars(load, shortest) < dollars || pollingDollars(load, longest) > dollars) return undefined;
  while (longest / shortest > 1.000_1) {
    const middle = Math.sqrt(shortest * longest);
    if (pollingDollars(load, middle) > dollars) shortest = middle;
    else longest = middle;
  }
  return longest;
}

/** The states that a job commits from its creation to its end. */
export function changesOf(load: Load): number {
  const created = 1;
  const queuedRunningSucceeded = 3;
  return created + uploadReports(load) + queuedRunningSucceeded + load.updates + signsOfLife(load);
}

function uploadReports({ uploadSeconds }: Load): number {
  return Math.floor(uploadSeconds / UPLOAD_REPORT_SECONDS);
}

/** Within a pause between reports. */
function inPauses({ jobSeconds, updates }: Load, everySeconds: number): number {
  const pauses = updates + 1;
  return pauses * Math.floor(jobSeconds / pauses / everySeconds);
}

function signsOfLife(load: Load): number {
  return inPauses(load, SIGN_OF_LIFE_SECONDS);
}

function commonUsage(load: Load): Usage {
  const usage = new Usage(load);
  const jobs = load.jobsPerDay * DAYS;
  const bytes = load.payloadMb * 1e6;
  const stateBytes = load.stateKb * KILOBYTE;

  if (bytes > MULTIPART_ABOVE_BYTES) {
    const parts = partCountOf(bytes);
    usage.call('POST /jobs, in parts', jobs, CREATED_BYTES * Math.min(parts, URLS_IN_AN_ANSWER));
    const more = Math.ceil(parts / URLS_IN_AN_ANSWER) - 1;
    usage.call('GET /jobs/{id}/upload, in parts', jobs * more, CREATED_BYTES * URLS_IN_AN_ANSWER);
    usage.call('POST /jobs/{id}/upload/complete', jobs, stateBytes);
    usage.add('objectWrites', jobs * parts);
  } else {
    usage.call('POST /jobs', jobs, CREATED_BYTES);
    usage.add('objectWrites', jobs);
  }
  usage.call('POST /jobs/{id}/upload/progress', jobs * uploadReports(load), stateBytes);

  usage.add('events', jobs);
  usage.run('an upload arrives', jobs, 'objectCreated');

  const looks = inPauses(load, LOOK_SECONDS) - signsOfLife(load);
  usage.run('work begins', jobs, 'process', 'another');
  usage.run('work reports progress', jobs * (load.updates + signsOfLife(load)), 'process', 'another');
  usage.run('work looks whether it was cancelled', jobs * looks, 'process', 'another');
  usage.run('work succeeds', jobs, 'process', 'another');
  usage.invoke('process', jobs, load.jobSeconds * 1_000);

  const jobLooks = 1 + Math.floor((load.uploadSeconds + load.jobSeconds) / JOB_LOOK_SECONDS);
  const executionLooks = 1 + Math.floor(load.jobSeconds / EXECUTION_LOOK_SECONDS);
  usage.run('a deadline is looked at', jobs * (jobLooks + executionLooks), 'sweep');

  usage.add('objectGigabytes', (jobs * (bytes + load.resultKb * 1e3) * KEPT_DAYS) / DAYS / GIGABYTE);
  const tableGigabytes = (load.jobsPerDay * KEPT_DAYS * stateBytes) / GIGABYTE;
  usage.add('tableGigabytes', tableGigabytes);
  usage.add('recoveryGigabytes', tableGigabytes);

  usage.add('queueRequests', POLLED_QUEUES * EMPTY_POLLS_PER_DAY * DAYS);
  usage.add('figures', CUSTOM_METRICS);
  usage.add('alarms', ALARM_METRICS);
  usage.add('secrets', 1);
  usage.add('secretCalls', SECRET_CALLS_PER_DAY * DAYS);
  return usage;
}

function pushUsage(load: Load): Usage {
  const usage = new Usage(load);
  const jobs = load.jobsPerDay * DAYS;
  const watches = jobs * load.watchers;
  const changes = changesOf(load);
  const stateBytes = load.stateKb * KILOBYTE;

  // Everybody hears of every change but the creation, which is in the answer to subscribe; large audiences of fewer.
  const { heard, states } = heardOf(load);
  if (load.watchers > PORTION) {
    addPublisher(usage, { ...load, watchers: 0 }, jobs);
    addLargeAudiences(usage, load, { jobs, states });
  } else {
    addPublisher(usage, load, jobs * changes);
  }
  usage.add('streamReads', jobs * changes);
  const frames = watches * heard;
  usage.add('socketMessages', frames);
  usage.add('outGigabytes', (frames * stateBytes) / GIGABYTE);

  // The watchers: who made the job has a ticket already; the others, and each change of connection, need one.
  const connections = 1 + Math.floor(load.watchMinutes / ROTATION_MINUTES);
  const tickets = watches * connections - Math.min(jobs, watches);
  usage.call('POST /jobs/{id}/tickets', tickets, TICKET_BYTES);
  usage.invoke('authorize', watches * connections, OWN_MILLISECONDS);
  usage.run('$connect', watches * connections, 'socket');
  usage.frame('subscribe to a job, by its ticket', watches * connections, stateBytes);
  usage.run('$disconnect, 1 job watched', watches * connections, 'socket');
  usage.add('logGigabytes', (watches * connections * 2 * ACCESS_LOG_BYTES) / GIGABYTE);
  usage.add('connectionMinutes', watches * load.watchMinutes);

  // A ping that tells of a newer state than the last one is kept, the first in a new item. Of states that a large
  // audience was not told, its pings ask.
  const pings = Math.floor((load.watchMinutes * 60) / load.pingSeconds);
  const telling = Math.min(pings, changes);
  const first = Math.min(1, telling);
  usage.frame('ping, the first', watches * first, PONG_BYTES);
  const missed = Math.min(telling - first, states - heard);
  usage.frame('ping, a frame was missed', watches * missed, PONG_BYTES + stateBytes);
  usage.frame('ping, a newer head', watches * (telling - first - missed), PONG_BYTES);
  usage.frame('ping, nothing new', watches * (pings - telling), PONG_BYTES);
  return usage;
}

/** The publisher: an invocation a batch, in which each job's topics are read and its watchers posted to. */
function addPublisher(usage: Usage, load: Load, published: number): void {
  usage.run('publish a change, nobody watches', published, 'publish', 'another');
  const moreUnits = Math.max(0, Math.ceil(load.watchers / WATCHERS_IN_A_UNIT) - 1) + load.tags;
  usage.add('readUnits', published * moreUnits);
  usage.invoke('publish', published / load.changesPerBatch, publishMilliseconds(load));
}

/** Queries first, then posts, so many of either at a time. */
function publishMilliseconds({ changesPerBatch, requestMs, tags, watchers }: Load): number {
  const queries = REQUESTS['publish a change, nobody watches'].requests['Query subscriptions'] + tags;
  const turns = [queries, watchers].map((count) => Math.ceil((count * changesPerBatch) / REQUESTS_AT_A_TIME));
  return OWN_MILLISECONDS + requestMs * turns.reduce((sum, count) => sum + count);
}

function pollingUsage(load: Load): Usage {
  const usage = new Usage(load);
  const watches = load.jobsPerDay * DAYS * load.watchers;
  const polls = (load.watchMinutes * 60) / load.pollSeconds;
  // By `ETag`, a poll that finds nothing new is a 304; each change is sent at most once.
  const telling = Math.min(polls, changesOf(load));
  usage.call('GET /jobs/{id}', watches * telling, load.stateKb * KILOBYTE + NOT_MODIFIED_BYTES);
  usage.call('GET /jobs/{id}', watches * (polls - telling), NOT_MODIFIED_BYTES);
  return usage;
}

function section({ quantities }: Usage): Section {
  const items = (Object.keys(PRICES) as Meter[]).flatMap((meter): Item[] => {
    const quantity = quantities.get(meter);
    if (quantity === undefined) return [];
    const unitPrice = PRICES[meter].tiers[0].dollars;
    return [{ meter, quantity, unitPrice, dollars: costOf(meter, quantity) }];
  });
  return { items, dollars: items.reduce((sum, { dollars }) => sum + dollars, 0) };
}
