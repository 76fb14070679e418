import { PORTION } from '../../handlers/publish/concurrency.ts';
import { attemptsAfter, delaySeconds, MAXIMUM_ATTEMPTS } from '../../handlers/publish/delivery-attempts.ts';
import { PostPace } from '../../handlers/publish/post-pace.ts';
import { PostTally } from '../../handlers/publish/post-tally.ts';
import { FAILED_POSTS } from '../../handlers/publish/range-posting.ts';
import { EventQueue } from './event-queue.ts';
import { seededRandom } from './seeded-random.ts';
import { TokenBucket } from './token-bucket.ts';

/**
 * How an audience is told: `atOnce` repeats a refused post at once; `sdk` leaves it to the SDK's client, three
 * attempts with back-off; `paced` is ours (handlers/publish/broadcast.ts).
 */
export type BroadcastStrategy = 'atOnce' | 'sdk' | 'paced';

/** One state for one audience, in an account that others use as well. */
export interface BroadcastSettings {
  readonly strategy: BroadcastStrategy;
  readonly audience: number;
  /** What API Gateway allows the account (aws-facts 1.8). */
  readonly requestsPerSecond: number;
  readonly burst: number;
  /** Calls of APIs in the same account, each of which is refused where there is no token. */
  readonly callsPerSecond: number;
  /** The setting of the stack; only for `paced`. */
  readonly postsPerSecond: number;
  /** How many functions post at a time, each on fifty sockets; only for `atOnce` and `sdk`. */
  readonly functions: number;
  readonly seed: number;
}

/** What came of it. Parts are from 0 to 1. */
export interface BroadcastFigures {
  /** Requests to @connections, and the part that was refused. */
  readonly posts: number;
  readonly postsRefused: number;
  /** The part of the audience that was never told. */
  readonly lost: number;
  /** From the beginning to the last delivery. */
  readonly seconds: number;
  /** The part of others' calls that was refused in that time. */
  readonly callsRefused: number;
}

/** A post is answered after so long, and so is a refusal, in seconds. */
const POST_SECONDS = 0.015;
const REFUSAL_SECONDS = 0.005;

/** The sockets of the SDK's NodeHttpHandler (aws-facts 2). */
const SOCKETS = 50;

/** The SDK's standard retries: attempts, base of the back-off after throttling in seconds, and tokens for retries (@smithy/util-retry). */
const SDK_ATTEMPTS = 3;
const SDK_BASE_SECONDS = 0.5;
const SDK_RETRY_TOKENS = 500;
const SDK_RETRY_COST = 5;

/** From the message in the queue to its first post, in seconds. */
const HAND_OVER_SECONDS = 0.03;

/** What an execution environment of ours posts a second at the most (infrastructure/publishing.ts). */
const POSTS_PER_ENVIRONMENT = 1_000;

/**
 * Simulates one broadcast. Nothing waits for real time; the same seed gives the same figures. The pace, the back-off,
 * the judgement of when to stop and when to give up are the code that is deployed.
 */
export function simulateBroadcast(settings: BroadcastSettings): BroadcastFigures {
  const account = new Account(settings);
  if (settings.strategy === 'paced') tellPaced(settings, account);
  else tellUnpaced(settings, account);
  return account.figures();
}

/** The account's tokens, and those who want them. */
class Account {
  readonly random: () => number;
  readonly #settings: BroadcastSettings;
  readonly #bucket: TokenBucket;
  #nextCall: number;
  #calls = 0;
  #callsRefused = 0;
  #posts = 0;
  #delivered = 0;
  #lastDelivery = 0;

  constructor(settings: BroadcastSettings) {
    this.#settings = settings;
    this.random = seededRandom(settings.seed);
    this.#bucket = new TokenBucket(settings.requestsPerSecond, settings.burst);
    this.#nextCall = this.#gap();
  }

  /** Posts; false where it is refused. Moments must not go back. */
  post(at: number): boolean {
    while (this.#nextCall <= at) {
      this.#calls += 1;
      if (!this.#bucket.take(this.#nextCall)) this.#callsRefused += 1;
      this.#nextCall += this.#gap();
    }
    this.#posts += 1;
    if (!this.#bucket.take(at)) return false;
    this.#delivered += 1;
    this.#lastDelivery = at + POST_SECONDS;
    return true;
  }

  figures(): BroadcastFigures {
    return {
      posts: this.#posts,
      postsRefused: this.#posts === 0 ? 0 : 1 - this.#delivered / this.#posts,
      lost: 1 - this.#delivered / this.#settings.audience,
      seconds: this.#lastDelivery,
      callsRefused: this.#calls === 0 ? 0 : this.#callsRefused / this.#calls,
    };
  }

  /** Calls come by chance: the time to the next is distributed exponentially. */
  #gap(): number {
    return -Math.log(1 - this.random()) / this.#settings.callsPerSecond;
  }
}

/** Functions with fifty sockets each, one part of the audience for each. */
function tellUnpaced({ audience, functions, strategy }: BroadcastSettings, account: Account): void {
  const events = new EventQueue<{ readonly place: number; readonly attempt: number | undefined }>();
  const left = Array.from({ length: functions }, (_, place) => shareOf(audience, functions, place));
  const retryTokens = left.map(() => SDK_RETRY_TOKENS);
  for (const place of left.keys()) {
    // Sockets open one after another, not all in one moment.
    for (let socket = 0; socket < SOCKETS; socket += 1) {
      events.add(account.random() * POST_SECONDS, { place, attempt: undefined });
    }
  }
  for (let event = events.next(); event !== undefined; event = events.next()) {
    const { at } = event;
    const { place, attempt = 0 } = event.item;
    if (event.item.attempt === undefined) {
      if (left[place] === 0) continue;
      left[place] = (left[place] ?? 0) - 1;
    }
    if (account.post(at)) {
      retryTokens[place] = Math.min(SDK_RETRY_TOKENS, (retryTokens[place] ?? 0) + 1);
      events.add(at + POST_SECONDS, { place, attempt: undefined });
    } else if (strategy === 'atOnce') {
      events.add(at + REFUSAL_SECONDS, { place, attempt: attempt + 1 });
    } else if (attempt + 1 < SDK_ATTEMPTS && (retryTokens[place] ?? 0) >= SDK_RETRY_COST) {
      retryTokens[place] = (retryTokens[place] ?? 0) - SDK_RETRY_COST;
      const wait = account.random() * SDK_BASE_SECONDS * 2 ** attempt;
      events.add(at + REFUSAL_SECONDS + wait, { place, attempt: attempt + 1 });
    } else {
      events.add(at + REFUSAL_SECONDS, { place, attempt: undefined }); // given up: the sample logs it
    }
  }
}

/** A range that an execution environment works on. */
interface Range {
  readonly left: number;
  readonly attempt: number;
}

interface Environment {
  readonly pace: PostPace;
  range:
    | { left: number; attempt: number; finished: number; throttled: number; readonly tally: PostTally }
    | undefined;
}

type Step =
  | { readonly kind: 'post'; readonly environment: Environment }
  | { readonly kind: 'visible'; readonly range: Range }
  | { readonly kind: 'owed'; readonly attempt: number };

/** Ranges of a queue, worked off by as many environments as share the pace. */
function tellPaced({ audience, postsPerSecond }: BroadcastSettings, account: Account): void {
  const events = new EventQueue<Step>();
  const queue: Range[] = [];
  let now = 0;
  let wait = 0;
  const count = Math.max(2, Math.ceil(postsPerSecond / POSTS_PER_ENVIRONMENT));
  const idle = Array.from(
    { length: count },
    (): Environment => ({
      pace: new PostPace({
        perSecond: postsPerSecond / count,
        now: () => now * 1_000,
        pause: async (milliseconds) => {
          wait = milliseconds / 1_000;
        },
      }),
      range: undefined,
    }),
  );
  const begin = (): void => {
    while (queue.length > 0) {
      const environment = idle.pop();
      const range = environment === undefined ? undefined : queue.shift();
      if (environment === undefined || range === undefined) return;
      environment.range = { ...range, finished: 0, throttled: 0, tally: new PostTally(FAILED_POSTS) };
      events.add(now + HAND_OVER_SECONDS, { kind: 'post', environment });
    }
  };
  const next = (environment: Environment): void => {
    wait = 0;
    void environment.pace.take(); // tells how long to wait by `pause`
    events.add(now + wait, { kind: 'post', environment });
  };
  /** A delivery of its own, as handlers/publish/deliver.ts makes it and gives it up. */
  const owe = (attempt: number): void => {
    if (attempt >= MAXIMUM_ATTEMPTS) return;
    events.add(now + delaySeconds(Math.max(2, attempt), account.random()), { kind: 'owed', attempt });
  };
  const post = (environment: Environment): void => {
    const { range, pace } = environment;
    if (range === undefined) return;
    const isTaken = account.post(now);
    range.left -= 1;
    range.finished += 1;
    if (!isTaken) range.throttled += 1;
    range.tally.count(isTaken ? 'posted' : 'throttled');
    const { isFailing } = range.tally;
    if (!isFailing && range.left > 0) {
      next(environment);
      return;
    }
    const posted = range.finished - range.throttled;
    if (isFailing) pace.slowDown();
    else if (range.throttled === 0) pace.recover();
    // Where nothing went through, all of it goes back; else each that failed is owed by itself.
    const isVain = isFailing && posted === 0;
    if (!isVain) for (let owed = 0; owed < range.throttled; owed += 1) owe(0);
    const left = range.left + (isVain ? range.finished : 0);
    const attempt = attemptsAfter(range.attempt, posted);
    if (left > 0 && attempt < MAXIMUM_ATTEMPTS) {
      events.add(now + delaySeconds(attempt, account.random()), {
        kind: 'visible',
        range: { left, attempt },
      });
    }
    environment.range = undefined;
    idle.push(environment);
    begin();
  };
  for (let left = audience; left > 0; left -= PORTION) {
    queue.push({ left: Math.min(left, PORTION), attempt: 0 });
  }
  begin();
  for (let event = events.next(); event !== undefined; event = events.next()) {
    now = event.at;
    const step = event.item;
    if (step.kind === 'post') post(step.environment);
    else if (step.kind === 'owed') {
      if (!account.post(now)) owe(step.attempt + 1);
    } else {
      queue.push(step.range);
      begin();
    }
  }
}

function shareOf(audience: number, functions: number, place: number): number {
  return Math.floor((audience * (place + 1)) / functions) - Math.floor((audience * place) / functions);
}
