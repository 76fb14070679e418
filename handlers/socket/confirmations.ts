import { createHash } from 'node:crypto';
import { UnavailableError } from '../errors.ts';
import type { SocketDependencies } from './dependencies.ts';
import { after, SUBSCRIPTION_MILLISECONDS } from './subscription-limits.ts';

/** Of how many connections an execution remembers what they confirmed: some 100 bytes each. */
const REMEMBERED_CONNECTIONS = 10_000;

/**
 * Keeps what connections confirm by the heads of their pings, for `GET /jobs/{id}/watchers`. A heartbeat that says
 * what the last one said costs nothing, because this execution remembers it; where another execution answered the
 * last one, the table refuses to write the same again. Nothing is ever read for it.
 */
export class Confirmations {
  readonly #dependencies: Pick<SocketDependencies, 'subscriptions' | 'now' | 'log'>;
  /** The hash of the heads by connection; a `Map` keeps the order of insertion, so the first is the oldest. */
  readonly #remembered = new Map<string, string>();

  constructor(dependencies: Pick<SocketDependencies, 'subscriptions' | 'now' | 'log'>) {
    this.#dependencies = dependencies;
  }

  /**
   * Keeps what a connection confirms; no heads confirm nothing. Never fails a ping for a table that is not there
   * now: who watches is shown to people, and the next news is written again.
   * @throws RefusedError.
   */
  async keep(connection: string, heads: Readonly<Record<string, number>>): Promise<void> {
    if (Object.keys(heads).length === 0) return;
    const { subscriptions, now, log } = this.#dependencies;
    const hash = hashOf(heads);
    if (this.#remembered.get(connection) === hash) return;
    const at = now();
    try {
      const expiresAt = after(at, SUBSCRIPTION_MILLISECONDS);
      await subscriptions.confirm({ connection, heads, at: at.toISOString(), expiresAt });
      this.#remember(connection, hash);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      log.warn('What a connection confirmed was not kept', { connection, error });
    }
  }

  #remember(connection: string, hash: string): void {
    this.#remembered.delete(connection);
    this.#remembered.set(connection, hash);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > REMEMBERED_CONNECTIONS && oldest !== undefined) {
      this.#remembered.delete(oldest);
    }
  }
}

/** The same for the same heads, in whatever order they came. */
function hashOf(heads: Readonly<Record<string, number>>): string {
  const sorted = Object.entries(heads).toSorted(([one], [other]) => (one < other ? -1 : 1));
  return createHash('sha256').update(JSON.stringify(sorted)).digest('base64');
}
