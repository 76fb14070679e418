import { EventQueue } from './event-queue.ts';
import { FIRST_CEILING, LAST_CEILING } from './reconnect.ts';
import { seededRandom } from './seeded-random.ts';
import { TokenBucket } from './token-bucket.ts';

/** More clients than the stages have frames and tickets for. */
export interface OverloadSettings {
  readonly clients: number;
  /** Between two pings (client/timings.ts, `pingMs`). */
  readonly pingSeconds: number;
  /** Frames of clients that the socket stage lets through a second; its burst. */
  readonly framesPerSecond: number;
  readonly frameBurst: number;
  /** Tickets that the HTTP stage lets through a second; its burst. */
  readonly ticketsPerSecond: number;
  readonly ticketBurst: number;
  /** For how long; figures are of the second half, when the bursts are used up. */
  readonly minutes: number;
  /** How many are simulated one by one, at most; see `ReconnectSettings.simulated`. */
  readonly simulated: number;
  readonly seed: number;
}

/** What becomes of them. */
export interface OverloadFigures {
  /** The part of all clients that is subscribed, on average over time. */
  readonly live: number;
  /** The part of all pings that is throttled. */
  readonly pingsThrottled: number;
  /** Attempts to connect again, in a second. */
  readonly dialsPerSecond: number;
}

/** So long a client waits for an answer (client/timings.ts, `answerMs`), in seconds. */
const ANSWER_SECONDS = 10;

/** So long a connection must have been open for the back-off to begin anew (`stableMs`), in seconds. */
const STABLE_SECONDS = 60;

interface Client {
  attempts: number;
  /** When the open connection was subscribed; undefined while there is none. */
  liveSince: number | undefined;
}

type Step = { readonly kind: 'ping' | 'unanswered' | 'dial' | 'subscribe'; readonly client: Client };

/**
 * Simulates clients whose pings are too many: one that is throttled gets no pong, counts its connection as dead
 * after ten seconds, and dials again (client/line.ts), for which it needs a ticket and one more frame. Nothing
 * waits for real time; the same seed gives the same figures. That clients poll in between, which takes tickets
 * from others, is left out: it is worse than this.
 */
export function simulateOverload(settings: OverloadSettings): OverloadFigures {
  const share = Math.max(1, settings.clients / settings.simulated);
  const count = Math.round(settings.clients / share);
  const random = seededRandom(settings.seed);
  const frames = new TokenBucket(settings.framesPerSecond / share, settings.frameBurst / share);
  const tickets = new TokenBucket(settings.ticketsPerSecond / share, settings.ticketBurst / share);
  const events = new EventQueue<Step>();
  const end = settings.minutes * 60;
  const from = end / 2;
  let liveSeconds = 0;
  let pings = 0;
  let throttled = 0;
  let dials = 0;

  const lose = (client: Client, at: number): void => {
    const { liveSince } = client;
    if (liveSince !== undefined) {
      liveSeconds += Math.max(0, at - Math.max(liveSince, from));
      if (at - liveSince >= STABLE_SECONDS) client.attempts = 0;
    }
    client.liveSince = undefined;
    const jitter = random() * Math.min(LAST_CEILING, FIRST_CEILING * 2 ** client.attempts);
    client.attempts += 1;
    events.add(at + jitter, { kind: 'dial', client });
  };

  const take = ({ kind, client }: Step, at: number): void => {
    switch (kind) {
      case 'ping': {
        const isAnswered = frames.take(at);
        if (at >= from) pings += 1;
        if (at >= from && !isAnswered) throttled += 1;
        if (isAnswered) events.add(at + settings.pingSeconds, { kind: 'ping', client });
        else events.add(at + ANSWER_SECONDS, { kind: 'unanswered', client });
        break;
      }
      case 'unanswered':
        lose(client, at);
        break;
      case 'dial':
        if (at >= from) dials += 1;
        if (tickets.take(at)) events.add(at, { kind: 'subscribe', client });
        else lose(client, at);
        break;
      case 'subscribe':
        if (frames.take(at)) {
          client.liveSince = at;
          events.add(at + settings.pingSeconds, { kind: 'ping', client });
        } else events.add(at + ANSWER_SECONDS, { kind: 'unanswered', client });
    }
  };

  const clients = Array.from({ length: count }, (): Client => ({ attempts: 0, liveSince: 0 }));
  for (const client of clients) events.add(random() * settings.pingSeconds, { kind: 'ping', client });
  for (let event = events.next(); event !== undefined && event.at < end; event = events.next()) {
    take(event.item, event.at);
  }
  for (const { liveSince } of clients) {
    if (liveSince !== undefined) liveSeconds += Math.max(0, end - Math.max(liveSince, from));
  }
  return {
    live: liveSeconds / (count * (end - from)),
    pingsThrottled: throttled / pings,
    dialsPerSecond: (dials * share) / (end - from),
  };
}
