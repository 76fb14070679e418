import type { Subscription, Subscriptions, SubscriptionTopic, Watcher } from '../ports.ts';

/** `Subscriptions` in memory; rows come in pages, as a query's do. */
export class MemorySubscriptions implements Subscriptions {
  readonly #rows = new Map<SubscriptionTopic, Map<string, Subscription>>();
  readonly #pageSize: number;

  /** `pageSize` is the number of watchers of one page. */
  constructor(settings: { readonly pageSize?: number } = {}) {
    this.#pageSize = settings.pageSize ?? 1000;
  }

  async add(subscription: Subscription): Promise<void> {
    const watchers = this.#rows.get(subscription.topic) ?? new Map<string, Subscription>();
    watchers.set(subscription.connection, { ...subscription });
    this.#rows.set(subscription.topic, watchers);
  }

  async remove(topic: SubscriptionTopic, connection: string): Promise<void> {
    this.#delete(topic, connection);
  }

  async removeConnection(connection: string): Promise<number> {
    return [...this.#rows.keys()].filter((topic) => this.#delete(topic, connection)).length;
  }

  async *watchers(topic: SubscriptionTopic, now: string): AsyncIterable<readonly Watcher[]> {
    const watchers = [...(this.#rows.get(topic)?.values() ?? [])]
      .filter((row) => wholeSecondOf(row.expiresAt) > Date.parse(now))
      .map(({ connection, connectingUntil }) =>
        connectingUntil === undefined ? { connection } : { connection, connectingUntil },
      );
    for (let start = 0; start < watchers.length; start += this.#pageSize) {
      yield watchers.slice(start, start + this.#pageSize);
    }
  }

  async count(connection: string): Promise<number> {
    return [...this.#rows.values()].filter((watchers) => watchers.has(connection)).length;
  }

  #delete(topic: SubscriptionTopic, connection: string): boolean {
    const watchers = this.#rows.get(topic);
    const was = watchers?.delete(connection) ?? false;
    if (watchers?.size === 0) this.#rows.delete(topic);
    return was;
  }
}

/** The table keeps `expiresAt` in whole seconds, because that is what TTL reads. Answers milliseconds. */
function wholeSecondOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000) * 1000;
}
