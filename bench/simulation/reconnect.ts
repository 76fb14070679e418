import { EventQueue } from './event-queue.ts';
import { seededRandom } from './seeded-random.ts';
import { TokenBucket } from './token-bucket.ts';

/** A crowd that lost all of its connections at one moment. */
export interface ReconnectSettings {
  readonly clients: number;
  /** For so long nothing answers; then everything does, as fast as the limits below allow. */
  readonly outageSeconds: number;
  /** What the HTTP API lets through: tickets, and polls of those who believe that sockets are blocked. */
  readonly requestsPerSecond: number;
  readonly requestBurst: number;
  /** New connections a second that API Gateway admits (aws-facts 1.8: 500, burst 500). */
  readonly connectsPerSecond: number;
  readonly connectBurst: number;
  /** After so many refused sockets in a row a client polls, too (client/connection.ts, `REFUSALS`). */
  readonly refusalsUntilPolling: number;
  /**
   * How many are simulated one by one, at most; of a larger crowd each stands for many, and the limits shrink with
   * them, since what counts is the rate for each client. Bursts should not shrink to less than a few.
   */
  readonly simulated: number;
  readonly seed: number;
}

/** How the crowd came back; times in seconds after the end of the outage. */
export interface ReconnectFigures {
  readonly halfBackSeconds: number;
  readonly allBackSeconds: number;
  /** Requests for tickets, of a client on average, and the part of them that was throttled. */
  readonly ticketsAsked: number;
  readonly ticketsThrottled: number;
  /** Sockets that were refused although a ticket had been got for them, of a client on average. */
  readonly socketsRefused: number;
  /** The part of all clients that polled at some moment. */
  readonly pollers: number;
  /** The most requests that were held at one moment: each is a Lambda environment for 20 seconds. */
  readonly mostHeld: number;
}

/** The client's back-off (client/back-off.ts): full jitter below a ceiling that doubles, in seconds, from and to. */
export const FIRST_CEILING = 0.5;
export const LAST_CEILING = 30;

/** So long the API holds a poll (client/poller.ts, `WAIT_SECONDS`), in seconds. */
const HOLD_SECONDS = 20;

/** The shortest time from a poll to the next (client/timings.ts, `pollMs`), in seconds. */
const POLL_SECONDS = 1;

interface Client {
  dials: number;
  pollsFailed: number;
  refusals: number;
  polls: boolean;
  confirmed: boolean;
  back: boolean;
}

type Step = { readonly kind: 'dial' | 'poll' | 'released'; readonly client: Client };

/**
 * Simulates how clients come back after an outage: each as client/connection.ts does it, by full jitter up to 30
 * seconds, with a ticket for every attempt. Nothing waits for real time; the same seed gives
 * the same figures.
 */
export function simulateReconnect(settings: ReconnectSettings): ReconnectFigures {
  const share = Math.max(1, settings.clients / settings.simulated);
  const random = seededRandom(settings.seed);
  const requests = new TokenBucket(settings.requestsPerSecond / share, settings.requestBurst / share);
  const connects = new TokenBucket(settings.connectsPerSecond / share, settings.connectBurst / share);
  const events = new EventQueue<Step>();
  const clients = Array.from({ length: Math.round(settings.clients / share) }, (): Client => {
    return { dials: 0, pollsFailed: 0, refusals: 0, polls: false, confirmed: false, back: false };
  });
  const backAt: number[] = [];
  let asked = 0;
  let throttled = 0;
  let refused = 0;
  let held = 0;
  let mostHeld = 0;

  const jitter = (attempt: number) => random() * Math.min(LAST_CEILING, FIRST_CEILING * 2 ** attempt);

  const dialLater = (client: Client, at: number): void => {
    events.add(at + jitter(client.dials), { kind: 'dial', client });
    client.dials += 1;
  };

  const dial = (client: Client, at: number): void => {
    asked += 1;
    if (at < settings.outageSeconds || !requests.take(at)) {
      if (at >= settings.outageSeconds) throttled += 1;
      dialLater(client, at);
    } else if (connects.take(at)) {
      client.back = true;
      backAt.push(at - settings.outageSeconds);
    } else {
      refused += 1;
      client.refusals += 1;
      if (client.refusals >= settings.refusalsUntilPolling && !client.polls) {
        client.polls = true;
        events.add(at, { kind: 'poll', client });
      }
      dialLater(client, at);
    }
  };

  const poll = (client: Client, at: number): void => {
    if (client.back) return;
    if (!requests.take(at)) {
      client.confirmed = false;
      events.add(at + Math.max(POLL_SECONDS, jitter(client.pollsFailed)), { kind: 'poll', client });
      client.pollsFailed += 1;
      return;
    }
    client.pollsFailed = 0;
    if (client.confirmed) {
      // Held by the API until the job moves; here it does not.
      held += 1;
      mostHeld = Math.max(mostHeld, held);
      events.add(at + HOLD_SECONDS, { kind: 'released', client });
    } else {
      client.confirmed = true;
      events.add(at + POLL_SECONDS, { kind: 'poll', client });
    }
  };

  for (const client of clients) dialLater(client, 0);
  for (
    let event = events.next();
    event !== undefined && backAt.length < clients.length;
    event = events.next()
  ) {
    const { at, item } = event;
    if (item.kind === 'dial') dial(item.client, at);
    else if (item.kind === 'poll') poll(item.client, at);
    else {
      held -= 1;
      poll(item.client, at);
    }
  }
  return {
    halfBackSeconds: backAt[Math.ceil(clients.length / 2) - 1] ?? 0,
    allBackSeconds: backAt.at(-1) ?? 0,
    ticketsAsked: asked / clients.length,
    ticketsThrottled: throttled / asked,
    socketsRefused: refused / clients.length,
    pollers: clients.filter(({ polls }) => polls).length / clients.length,
    mostHeld: Math.round(mostHeld * share),
  };
}
