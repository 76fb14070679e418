import { loadOf } from '../cost/load.ts';
import { type BroadcastStrategy, simulateBroadcast } from '../simulation/broadcast.ts';
import { simulateOverload } from '../simulation/overload.ts';
import { simulateReconnect } from '../simulation/reconnect.ts';
import { duration, fine, markdown, percent, whole } from './markdown.ts';
import {
  ACCOUNT_BURST,
  ACCOUNT_REQUESTS,
  CONNECT_BURST,
  CONNECTS_PER_SECOND,
  HTTP_BURST,
  HTTP_REQUESTS,
  POSTS_SHARE,
  SOCKET_BURST,
  SOCKET_FRAMES,
} from './quotas.ts';

/** An outage of a minute, after which everybody returns. */
const STORM = {
  outageSeconds: 60,
  connectBurst: CONNECT_BURST,
  refusalsUntilPolling: 3,
  simulated: 5_000,
  seed: 1,
} as const;

interface Limits {
  readonly name: string;
  readonly tickets: number;
  readonly connects: number;
}

/** How crowds come back after an outage, under several limits. */
export function reconnectTable(clientCounts: readonly number[]): string {
  const limitsOf = (clients: number): readonly Limits[] => [
    { name: 'as deployed', tickets: HTTP_REQUESTS, connects: CONNECTS_PER_SECOND },
    { name: 'HTTP API as fast as connects', tickets: CONNECTS_PER_SECOND, connects: CONNECTS_PER_SECOND },
    { name: 'HTTP API faster than connects', tickets: 2_000, connects: CONNECTS_PER_SECOND },
    ...(clients < 1e6 ? [] : [{ name: 'both raised', tickets: 5_000, connects: 5_000 }]),
  ];
  const rows = clientCounts.flatMap((clients) =>
    limitsOf(clients).map(({ name, tickets, connects }) => {
      const figures = simulateReconnect({
        ...STORM,
        clients,
        requestsPerSecond: tickets,
        requestBurst: (HTTP_BURST / HTTP_REQUESTS) * tickets,
        connectsPerSecond: connects,
        // A million at a hundred a second take hours, each client some hundred attempts: fewer do as well.
        simulated: clients / tickets > 1_000 ? 1_000 : STORM.simulated,
      });
      return [
        whole(clients),
        `${name}: ${whole(tickets)} tickets, ${whole(connects)} connects a second`,
        duration(figures.halfBackSeconds),
        duration(figures.allBackSeconds),
        fine(figures.ticketsAsked),
        percent(figures.pollers),
        whole(figures.mostHeld),
      ];
    }),
  );
  return markdown(
    [
      'clients',
      'limits',
      'half are back after',
      'all after',
      'tickets asked for, each',
      'poll meanwhile',
      'requests held at once',
    ],
    rows,
  );
}

/** What becomes of crowds whose pings are too many for the socket stage as it is deployed. */
export function overloadTable(clientCounts: readonly number[]): string {
  const { pingSeconds } = loadOf({});
  const rows = clientCounts.map((clients) => {
    const { live, pingsThrottled, dialsPerSecond } = simulateOverload({
      clients,
      pingSeconds,
      framesPerSecond: SOCKET_FRAMES,
      frameBurst: SOCKET_BURST,
      ticketsPerSecond: HTTP_REQUESTS,
      ticketBurst: HTTP_BURST,
      minutes: 20,
      simulated: 1_000,
      seed: 1,
    });
    return [
      whole(clients),
      whole(clients / pingSeconds),
      percent(live),
      percent(pingsThrottled),
      whole(dialsPerSecond),
    ];
  });
  return markdown(
    ['clients', 'pings a second that they would send', 'of them live', 'pings throttled', 'dials a second'],
    rows,
  );
}

/** How a broadcast may be told, and in which words. */
const STRATEGIES: readonly (readonly [strategy: BroadcastStrategy, words: string])[] = [
  ['atOnce', 'a refused post is repeated at once'],
  ['sdk', 'the SDK’s three attempts'],
  ['paced', 'ours: paced, and sent back with a delay'],
];

/** What others ask of the account meanwhile, as a part of what it may be asked: a fifth, and more than all of it. */
const OTHERS = [0.2, 1.1] as const;

/** What a broadcast does to an account that others use as well, by how it is told. */
export function broadcastTable(audiences: readonly number[]): string {
  const rows = OTHERS.flatMap((others) =>
    // The overload for the smallest audience alone: with more, it lasts longer.
    (others > 1 ? audiences.slice(0, 1) : audiences).flatMap((audience) => rowsOf(audience, others)),
  );
  return markdown(
    [
      'watchers',
      'calls of others a second',
      'how they are told',
      'posts refused',
      'calls of others refused',
      'never told',
      'last delivery after',
    ],
    rows,
  );
}

function rowsOf(audience: number, others: number): readonly (readonly string[])[] {
  return STRATEGIES.map(([strategy, words]) => {
    const figures = simulateBroadcast({
      strategy,
      audience,
      requestsPerSecond: ACCOUNT_REQUESTS,
      burst: ACCOUNT_BURST,
      callsPerSecond: ACCOUNT_REQUESTS * others,
      postsPerSecond: ACCOUNT_REQUESTS * POSTS_SHARE,
      functions: 10,
      seed: 1,
    });
    return [
      whole(audience),
      whole(ACCOUNT_REQUESTS * others),
      words,
      percent(figures.postsRefused),
      percent(figures.callsRefused),
      whole(figures.lost * audience),
      duration(figures.seconds),
    ];
  });
}
