import type { Load } from './load.ts';
import type { Meter } from './prices.ts';
import { type Flow, type FlowRequests, REQUESTS } from './requests.ts';

/** Memory of each function in MB, as infrastructure/ deploys them (test/infrastructure/cost.test.ts compares). */
export const MEMORY_MB = {
  api: 512,
  authorize: 512,
  authorizeBroadcast: 512,
  begin: 512,
  deliver: 512,
  fail: 512,
  fetch: 1769,
  inspect: 1769,
  merge: 1769,
  objectCreated: 512,
  process: 1769,
  profile: 1769,
  publish: 1024,
  socket: 512,
  sweep: 512,
} as const;

/** A function of ours. */
export type FunctionName = keyof typeof MEMORY_MB;

/** What a warm function does beside waiting for requests, in milliseconds. Cold starts are not counted. */
export const OWN_MILLISECONDS = 2;

/** Posts that publish has under way at a time, at least (handlers/publish/publish.ts, `CONCURRENCY`). */
export const REQUESTS_AT_A_TIME = 50;

/** Lambda's lines of an invocation (START, END, REPORT), in bytes. */
const INVOCATION_LOG_BYTES = 350;

/** A line of figures or of information, of those functions that write one each time, in bytes. */
const OWN_LOG_BYTES = 400;
const TALKATIVE: ReadonlySet<FunctionName> = new Set([
  ...(['publish', 'deliver', 'process', 'sweep', 'begin', 'fetch', 'inspect', 'profile', 'merge'] as const),
]);

/** A line of an access log, for each HTTP request and each frame of a client, in bytes. */
export const ACCESS_LOG_BYTES = 250;

/** A message that a function takes from a queue: Lambda's pollers receive it and delete it. */
const REQUESTS_OF_A_RECEIPT = 2;

/** Messages in one request (SQS, `SendMessageBatch`). */
const MESSAGES_AT_A_TIME = 10;

/** What of a flow grows with the audience, where the budget speaks of a small one. */
export interface FlowSize {
  /** Posts of a run that are to be counted here. */
  readonly posts?: number;
  /** Messages that a run sends. */
  readonly messages?: number;
  /** Milliseconds that an invocation works beside its requests. */
  readonly work?: number;
  /** What is not asked: tables, buckets, queues. */
  readonly without?: readonly string[];
}

const GIGABYTE = 1e9;

/** Operations that S3 prices as writes; all others that we call it reads. */
const OBJECT_WRITES = [
  ...['PutObject', 'CreateMultipartUpload', 'CompleteMultipartUpload'],
  ...['ListParts', 'ListObjectsV2'],
];

/** Counts what a month uses. */
export class Usage {
  readonly quantities = new Map<Meter, number>();
  readonly #load: Load;

  constructor(load: Load) {
    this.#load = load;
  }

  add(meter: Meter, quantity: number): void {
    if (quantity > 0) this.quantities.set(meter, (this.quantities.get(meter) ?? 0) + quantity);
  }

  /** So many runs of a flow, each an invocation of the function unless `within` another one. */
  run(
    flow: Flow,
    runs: number,
    name: FunctionName,
    within: 'an invocation of its own' | 'another' = 'an invocation of its own',
    { posts: ownPosts, messages = 1, work = 0, without = [] }: FlowSize = {},
  ): void {
    const { requests }: FlowRequests = REQUESTS[flow];
    this.#units(flow, runs);
    let posts = 0;
    let waits = 0;
    for (const [request, count] of Object.entries(requests)) {
      const [operation = '', target = ''] = request.split(' ');
      if (without.includes(target)) continue;
      if (request === 'POST @connections') posts += ownPosts ?? count;
      else waits += count;
      if (operation === 'SendMessageBatch') {
        const sends = Math.ceil(messages / MESSAGES_AT_A_TIME);
        this.add('queueRequests', runs * count * (sends + messages * REQUESTS_OF_A_RECEIPT));
      }
      if (OBJECT_WRITES.includes(operation)) this.add('objectWrites', runs * count);
      else if (/^(Get|Head)Object$/.test(operation)) this.add('objectReads', runs * count);
    }
    this.add('socketMessages', runs * posts);
    if (within === 'another') return;
    const requestTimes = waits + Math.ceil(posts / REQUESTS_AT_A_TIME);
    this.invoke(name, runs, OWN_MILLISECONDS + requestTimes * this.#load.requestMs + work);
  }

  /** So many invocations of so many milliseconds each. */
  invoke(name: FunctionName, times: number, milliseconds: number): void {
    this.add('invocations', times);
    this.add('gigabyteSeconds', times * (Math.max(1, milliseconds) / 1_000) * (MEMORY_MB[name] / 1_024));
    const bytes = INVOCATION_LOG_BYTES + (TALKATIVE.has(name) ? OWN_LOG_BYTES : 0);
    this.add('logGigabytes', (times * bytes) / GIGABYTE);
  }

  /** Calls of the HTTP API that are answered with so many bytes. */
  call(flow: Flow, times: number, answerBytes: number): void {
    this.run(flow, times, 'api');
    this.add('httpRequests', times);
    this.add('logGigabytes', (times * ACCESS_LOG_BYTES) / GIGABYTE);
    this.add('outGigabytes', (times * answerBytes) / GIGABYTE);
  }

  /** Frames of clients, each answered by a frame of so many bytes. */
  frame(flow: Flow, times: number, answerBytes: number): void {
    this.run(flow, times, 'socket');
    this.add('socketMessages', times * 2);
    this.add('logGigabytes', (times * ACCESS_LOG_BYTES) / GIGABYTE);
    this.add('outGigabytes', (times * answerBytes) / GIGABYTE);
  }

  /** The budget counts an item below 1 KB; every further KB of a larger one costs each of its writes a unit. */
  #units(flow: Flow, runs: number): void {
    const { requests, readUnits, writeUnits }: FlowRequests = REQUESTS[flow];
    const { stateKb } = this.#load;
    const of = (names: readonly string[]) => names.reduce((sum, name) => sum + (requests[name] ?? 0), 0);
    const moreWritten = of(['PutItem jobs', 'UpdateItem jobs']) * (Math.ceil(stateKb) - 1);
    const moreRead = of(['GetItem jobs', 'BatchGetItem jobs']) * (Math.ceil(stateKb / 4) - 1);
    this.add('readUnits', runs * (readUnits + moreRead));
    this.add('writeUnits', runs * (writeUnits + moreWritten));
  }
}
