/**
 * Why a server closes a connection. API Gateway cannot send close codes of its own, so the reason comes in a
 * last frame, `bye`. The 30xx codes mean: reconnect and resume; the 35xx codes mean: stop.
 */
export const BYES = {
  3001: { reason: 'going away', reconnect: true },
  3005: { reason: 'ticket expired', reconnect: true },
  3013: { reason: 'too many requests', reconnect: true },
  3500: { reason: 'invalid ticket', reconnect: false },
  3501: { reason: 'bad request', reconnect: false },
  3504: { reason: 'too many subscriptions', reconnect: false },
  3507: { reason: 'forbidden', reconnect: false },
} as const satisfies Readonly<Record<number, { reason: string; reconnect: boolean }>>;

/** The code of a `bye` frame. */
export type ByeCode = keyof typeof BYES;
