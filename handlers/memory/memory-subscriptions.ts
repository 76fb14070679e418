import type {
  AudienceRange,
  Confirmation,
  ConfirmedHead,
  Subscriber,
  Subscription,
  Subscriptions,
  SubscriptionTopic,
  WantedPage,
  Watcher,
  WatcherPage,
} from '../ports.ts';

/** `Subscriptions` in memory; rows come in pages, as a query's do. */
export class MemorySubscriptions implements Subscriptions {
  readonly #rows = new Map<SubscriptionTopic, Map<string, Subscription>>();
  readonly #confirmations = new Map<string, Confirmation>();
  readonly #pageSize: number;

  /** `pageSize` is the number of watchers of one page. */
  constructor(settings: { readonly pageSize?: number } = {}) {
    this.#pageSize = settings.pageSize ?? 5000;
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
    this.#confirmations.delete(connection);
    return [...this.#rows.keys()].filter((topic) => this.#delete(topic, connection)).length;
  }

  async watchers(topic: SubscriptionTopic, { range, limit, now }: WantedPage): Promise<WatcherPage> {
    const rows = this.#within(topic, range);
    const size = Math.min(limit, this.#pageSize);
    const page = rows.slice(0, size);
    const watchers = page
      .filter((row) => isLive(row, now))
      .map(
        ({ connection, connectingUntil }): Watcher =>
          connectingUntil === undefined ? { connection } : { connection, connectingUntil },
      );
    const last = page.at(-1);
    // A full page may be the last one: a query knows no better.
    return last === undefined || page.length < size ? { watchers } : { watchers, next: last.connection };
  }

  async lastWatcher(topic: SubscriptionTopic, range: AudienceRange): Promise<string | undefined> {
    return this.#within(topic, range).at(-1)?.connection;
  }

  async *subscribers(topic: SubscriptionTopic, now: string): AsyncIterable<readonly Subscriber[]> {
    const rows = [...(this.#rows.get(topic)?.values() ?? [])].filter((row) => isLive(row, now));
    for (let start = 0; start < rows.length; start += this.#pageSize) {
      yield rows.slice(start, start + this.#pageSize).map(({ connection, since }) => ({ connection, since }));
    }
  }

  async has(topic: SubscriptionTopic, connection: string): Promise<boolean> {
    return this.#rows.get(topic)?.has(connection) === true;
  }

  async count(connection: string): Promise<number> {
    return [...this.#rows.values()].filter((watchers) => watchers.has(connection)).length;
  }

  async confirm(confirmation: Confirmation): Promise<void> {
    const kept = this.#confirmations.get(confirmation.connection);
    if (kept !== undefined && (kept.at > confirmation.at || sameHeads(kept.heads, confirmation.heads)))
      return;
    this.#confirmations.set(confirmation.connection, {
      ...confirmation,
      heads: { ...confirmation.heads },
    });
  }

  async confirmedHeads(
    job: string,
    connections: readonly string[],
  ): Promise<ReadonlyMap<string, ConfirmedHead>> {
    const heads = new Map<string, ConfirmedHead>();
    for (const connection of connections) {
      const kept = this.#confirmations.get(connection);
      const seq = kept?.heads[job];
      if (kept !== undefined && seq !== undefined) heads.set(connection, { seq, at: kept.at });
    }
    return heads;
  }

  /** In the table's order: as API Gateway's ids are ASCII, that of their code units. */
  #within(topic: SubscriptionTopic, { after, until }: AudienceRange): readonly Subscription[] {
    return [...(this.#rows.get(topic)?.values() ?? [])]
      .filter(
        ({ connection }) =>
          (after === undefined || connection > after) && (until === undefined || connection <= until),
      )
      .sort((one, other) => (one.connection < other.connection ? -1 : 1));
  }

  #delete(topic: SubscriptionTopic, connection: string): boolean {
    const watchers = this.#rows.get(topic);
    const was = watchers?.delete(connection) ?? false;
    if (watchers?.size === 0) this.#rows.delete(topic);
    return was;
  }
}

function isLive(row: Subscription, now: string): boolean {
  return wholeSecondOf(row.expiresAt) > Date.parse(now);
}

/** The table keeps `expiresAt` in whole seconds, because that is what TTL reads. Answers milliseconds. */
function wholeSecondOf(time: string): number {
  return Math.floor(Date.parse(time) / 1000) * 1000;
}

function sameHeads(one: Confirmation['heads'], other: Confirmation['heads']): boolean {
  const jobs = Object.keys(one);
  return jobs.length === Object.keys(other).length && jobs.every((job) => one[job] === other[job]);
}
