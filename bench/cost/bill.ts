import { PORTION } from '../../handlers/publish/concurrency.ts';
import { MULTIPART_ABOVE_BYTES, partCountOf } from '../../protocol/upload.ts';
import { addBroker } from './broker.ts';
import { changesOf, inPauses, progressReports, signsOfLife, uploadReports } from './changes.ts';
import { addLargeAudiences, roundsOf } from './large-audience.ts';
import type { Load } from './load.ts';
import { costOf, type Meter, PRICES } from './prices.ts';
import { addPublisher } from './publisher.ts';
import { ACCESS_LOG_BYTES, OWN_MILLISECONDS, Usage } from './usage.ts';
import { DEFAULT_WAYS, type Ways } from './ways.ts';
import { addWorkflow, stepReportsOf } from './workflow.ts';

/** A month, in days. */
export const DAYS = 30;

/** Payloads, results and jobs are kept for so many days (infrastructure/uploads.ts; handlers/api/create-job.ts). */
const KEPT_DAYS = 7;

/** A chain of deadlines looks this often at a job, and that of an execution at its execution, in seconds. */
const JOB_LOOK_SECONDS = 900;
const EXECUTION_LOOK_SECONDS = 60;

/** A silent execution looks every two seconds (handlers/process/paced-writes.ts). */
const LOOK_SECONDS = 2;

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
const POLLED_QUEUES = 4;
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
  /** What it takes to tell by a broker instead; where there is one. */
  readonly broadcast?: Section;
}

/** The bill of a month. */
export function billOf(load: Load, ways: Ways = DEFAULT_WAYS): Bill {
  return {
    common: section(commonUsage(load, ways)),
    push: section(pushUsage(load, ways)),
    polling: section(pollingUsage(load, ways)),
    ...(ways.broadcast === 'none' ? {} : { broadcast: section(broadcastUsage(load, ways)) }),
  };
}

/** From the event of the upload to the result, whoever watches. */
export function processingSection(load: Load, ways: Ways): Section {
  const usage = new Usage(load);
  addProcessing(usage, load, ways);
  return section(usage);
}

/** States that a watcher hears of, and those that there are behind the creation; fewer in large audiences. */
export function heardOf(
  load: Load,
  ways: Ways = DEFAULT_WAYS,
): { readonly heard: number; readonly states: number } {
  const states = changesOf(load, ways) - 1;
  return { heard: roundsOf(load, states), states };
}

/** What polling costs at another interval, in dollars a month, without what is common. */
export function pollingDollars(load: Load, pollSeconds: number, ways: Ways = DEFAULT_WAYS): number {
  return section(pollingUsage({ ...load, pollSeconds }, ways)).dollars;
}

/**
 * The interval in seconds at which polling costs as much as push; undefined where there is none from a tenth of a
 * second to an hour, and where neither costs anything.
 */
export function equalInterval(load: Load, ways: Ways = DEFAULT_WAYS): number | undefined {
  const { dollars } = section(pushUsage(load, ways));
  if (dollars === 0) return undefined;
  let shortest = 0.1;
  let longest = 3_600;
  if (pollingDollars(load, shortest, ways) < dollars || pollingDollars(load, longest, ways) > dollars)
    return undefined;
  while (longest / shortest > 1.000_1) {
    const middle = Math.sqrt(shortest * longest);
    if (pollingDollars(load, middle, ways) > dollars) shortest = middle;
    else longest = middle;
  }
  return longest;
}

function commonUsage(load: Load, ways: Ways): Usage {
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
  addProcessing(usage, load, ways);

  const jobLooks = 1 + Math.floor((load.uploadSeconds + load.jobSeconds) / JOB_LOOK_SECONDS);
  const executionLooks = 1 + Math.floor(load.jobSeconds / EXECUTION_LOOK_SECONDS);
  usage.run('a deadline is looked at', jobs * (jobLooks + executionLooks), 'sweep');

  usage.add('objectGigabytes', (jobs * (bytes + load.resultKb * 1e3) * KEPT_DAYS) / DAYS / GIGABYTE);
  const tableGigabytes = (load.jobsPerDay * KEPT_DAYS * stateBytes) / GIGABYTE;
  usage.add('tableGigabytes', tableGigabytes);
  usage.add('recoveryGigabytes', tableGigabytes);

  usage.add('queueRequests', queuesOf({ ...ways, broadcast: 'none' }) * EMPTY_POLLS_PER_DAY * DAYS);
  usage.add('figures', CUSTOM_METRICS);
  usage.add('alarms', ALARM_METRICS);
  usage.add('secrets', 1);
  usage.add('secretCalls', SECRET_CALLS_PER_DAY * DAYS);
  return usage;
}

/** How many queues Lambda polls: a workflow has no work queue, and a broker one for what it is still owed. */
export function queuesOf({ processing, broadcast }: Ways): number {
  return POLLED_QUEUES - (processing === 'lambda' ? 0 : 1) + (broadcast === 'none' ? 0 : 1);
}

/** From the event of the upload to the result. */
function addProcessing(usage: Usage, load: Load, ways: Ways): void {
  const jobs = load.jobsPerDay * DAYS;
  const reports = progressReports(load, ways) + signsOfLife(load);
  const looks = inPauses(load, LOOK_SECONDS) - signsOfLife(load);
  usage.run('work looks whether it was cancelled', jobs * looks, 'process', 'another');
  if (ways.processing === 'lambda') {
    usage.run('an upload arrives', jobs, 'objectCreated');
    usage.run('work begins', jobs, 'process', 'another');
    usage.run('work reports progress', jobs * reports, 'process', 'another');
    usage.run('work succeeds', jobs, 'process', 'another');
    usage.invoke('process', jobs, load.jobSeconds * 1_000);
    return;
  }
  const shared = ways.processing === 'step-functions-efs';
  usage.run('an upload arrives, for a workflow', jobs, 'objectCreated');
  addWorkflow(usage, load, jobs, shared);
  // The others are in what each step asks.
  const more = reports - stepReportsOf(load, shared);
  usage.run('work reports progress', jobs * more, 'profile', 'another');
}

function pushUsage(load: Load, ways: Ways): Usage {
  const usage = new Usage(load);
  const jobs = load.jobsPerDay * DAYS;
  const watches = jobs * load.watchers;
  const changes = changesOf(load, ways);
  const stateBytes = load.stateKb * KILOBYTE;

  // Everybody hears of every change but the creation, which is in the answer to subscribe; large audiences of fewer.
  const { heard, states } = heardOf(load, ways);
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

function broadcastUsage(load: Load, ways: Ways): Usage {
  const usage = new Usage(load);
  addBroker(usage, load, { jobs: load.jobsPerDay * DAYS, ways, ticketBytes: TICKET_BYTES });
  const queues = queuesOf(ways) - queuesOf({ ...ways, broadcast: 'none' });
  usage.add('queueRequests', queues * EMPTY_POLLS_PER_DAY * DAYS);
  return usage;
}

function pollingUsage(load: Load, ways: Ways): Usage {
  const usage = new Usage(load);
  const watches = load.jobsPerDay * DAYS * load.watchers;
  const polls = (load.watchMinutes * 60) / load.pollSeconds;
  // By `ETag`, a poll that finds nothing new is a 304; each change is sent at most once.
  const telling = Math.min(polls, changesOf(load, ways));
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
