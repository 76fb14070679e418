import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AudienceRange, Subscriptions, SubscriptionTopic, Watcher } from '../../handlers/ports.ts';
import { MADE_AT, secondsLater } from './sample-jobs.ts';

/** What every adapter of `Subscriptions` must do; each test uses topics and connections of its own. */
export function describeSubscriptions(name: string, start: () => Promise<Subscriptions>): void {
  describe(`Subscriptions: ${name}`, () => {
    let subscriptions: Subscriptions;
    beforeAll(async () => {
      subscriptions = await start();
    });

    const expiresAt = secondsLater(7800);
    const since = MADE_AT;
    const newTopic = (): SubscriptionTopic => `job:${randomUUID()}`;
    const newConnection = () => `${randomUUID().slice(0, 15)}=`;

    async function watchersOf(topic: SubscriptionTopic, now = MADE_AT): Promise<readonly Watcher[]> {
      const found: Watcher[] = [];
      let range: AudienceRange = {};
      for (;;) {
        const { watchers, next } = await subscriptions.watchers(topic, { range, limit: 5_000, now });
        found.push(...watchers);
        if (next === undefined) return found;
        range = { after: next };
      }
    }

    it('finds who watches a topic, and nobody else', async () => {
      const topic = newTopic();
      const [one, other] = [newConnection(), newConnection()].toSorted();
      if (one === undefined || other === undefined) throw new Error('two were made');
      await subscriptions.add({ since, topic, connection: one, expiresAt });
      await subscriptions.add({
        since,
        topic,
        connection: other,
        expiresAt,
        connectingUntil: secondsLater(10),
      });
      await subscriptions.add({ since, topic: newTopic(), connection: one, expiresAt });
      expect(await watchersOf(topic)).toEqual([
        { connection: one },
        { connection: other, connectingUntil: secondsLater(10) },
      ]);
      expect(await watchersOf(newTopic())).toEqual([]);
    });

    it('knows whether a connection watches a topic', async () => {
      const topic = newTopic();
      const connection = newConnection();
      await subscriptions.add({ since, topic, connection, expiresAt });
      expect(await subscriptions.has(topic, connection)).toBe(true);
      expect(await subscriptions.has(topic, newConnection())).toBe(false);
      expect(await subscriptions.has(newTopic(), connection)).toBe(false);
      await subscriptions.remove(topic, connection);
      expect(await subscriptions.has(topic, connection)).toBe(false);
    });

    it('renews a row: once in the topic, no longer connecting', async () => {
      const topic = newTopic();
      const connection = newConnection();
      await subscriptions.add({
        since,
        topic,
        connection,
        expiresAt: secondsLater(1),
        connectingUntil: expiresAt,
      });
      await subscriptions.add({ since, topic, connection, expiresAt });
      expect(await watchersOf(topic, secondsLater(2))).toEqual([{ connection }]);
      expect(await subscriptions.count(connection)).toBe(1);
    });

    it('leaves out rows that have expired, whether deleted or not', async () => {
      const topic = newTopic();
      const connection = newConnection();
      await subscriptions.add({ since, topic, connection, expiresAt: secondsLater(10.9) }); // kept as 10 s
      expect(await watchersOf(topic, secondsLater(9.999))).toEqual([{ connection }]);
      expect(await watchersOf(topic, secondsLater(10))).toEqual([]);
      expect(await watchersOf(topic, secondsLater(10.5))).toEqual([]);
    });

    it('removes one row, and does no harm where there is none', async () => {
      const topic = newTopic();
      const [one, other] = [newConnection(), newConnection()];
      for (const connection of [one, other]) await subscriptions.add({ since, topic, connection, expiresAt });
      await subscriptions.remove(topic, one);
      await subscriptions.remove(topic, one);
      expect(await watchersOf(topic)).toEqual([{ connection: other }]);
    });

    it('removes every row of a connection and no other', async () => {
      const connection = newConnection();
      const stranger = newConnection();
      const topics = Array.from({ length: 60 }, newTopic);
      await Promise.all(topics.map((topic) => subscriptions.add({ since, topic, connection, expiresAt })));
      const [shared] = topics;
      if (shared === undefined) throw new Error('sixty were made');
      await subscriptions.add({ since, topic: shared, connection: stranger, expiresAt });
      expect(await subscriptions.count(connection)).toBe(60);
      expect(await subscriptions.removeConnection(connection)).toBe(60);
      expect(await subscriptions.count(connection)).toBe(0);
      expect(await watchersOf(shared)).toEqual([{ connection: stranger }]);
      expect(await subscriptions.removeConnection(connection)).toBe(0);
    });

    it('finds every one of many watchers, over pages', async () => {
      // Long names, so that a megabyte, the size of a page, holds not all of them.
      const topic: SubscriptionTopic = `tag:ada:${'€'.repeat(300)}${randomUUID()}`;
      const connections = Array.from({ length: 1200 }, newConnection).toSorted();
      for (let start = 0; start < connections.length; start += 100) {
        const part = connections.slice(start, start + 100);
        await Promise.all(
          part.map((connection) => subscriptions.add({ since, topic, connection, expiresAt })),
        );
      }
      expect((await watchersOf(topic)).map(({ connection }) => connection)).toEqual(connections);
    });

    it('finds a part of them in order: behind one bound, up to and with the other, whatever the bounds are', async () => {
      const topic = newTopic();
      const ids = ['-A', '0', 'A=', 'Zz', '_', 'a'];
      for (const connection of ids.toReversed()) {
        await subscriptions.add({ since, topic, connection, expiresAt });
      }
      const bounds = [undefined, '-', '0', 'A', 'A=', 'a', 'z'];
      for (const after of bounds) {
        for (const until of bounds) {
          if (after !== undefined && until !== undefined && after >= until) continue;
          const range = {
            ...(after === undefined ? {} : { after }),
            ...(until === undefined ? {} : { until }),
          };
          const expected = ids.filter((id) => id > (after ?? '') && id <= (until ?? 'z'));
          const { watchers } = await subscriptions.watchers(topic, { range, limit: 100, now: MADE_AT });
          expect(watchers.map(({ connection }) => connection)).toEqual(expected);
          expect(await subscriptions.lastWatcher(topic, range)).toBe(expected.at(-1));
        }
      }
    });

    it('ends a page at its limit, rows that have expired included, and says where', async () => {
      const topic = newTopic();
      await subscriptions.add({ since, topic, connection: 'a', expiresAt: secondsLater(1) });
      for (const connection of ['b', 'c', 'd']) {
        await subscriptions.add({ since, topic, connection, expiresAt });
      }
      const now = secondsLater(2);
      const page = (range: AudienceRange, limit: number) =>
        subscriptions.watchers(topic, { range, limit, now });
      expect(await page({}, 1)).toEqual({ watchers: [], next: 'a' });
      expect(await page({}, 3)).toEqual({ watchers: [{ connection: 'b' }, { connection: 'c' }], next: 'c' });
      expect(await page({ after: 'c' }, 3)).toEqual({ watchers: [{ connection: 'd' }] });
      expect(await page({ after: 'a', until: 'c' }, 3)).toEqual({
        watchers: [{ connection: 'b' }, { connection: 'c' }],
      });
      expect(await page({ after: 'd' }, 3)).toEqual({ watchers: [] });
      // Full, and the last: what may follow is known by reading on.
      expect(await page({ after: 'b' }, 2)).toMatchObject({ next: 'd' });
      expect(await subscriptions.lastWatcher(topic, { until: 'a' })).toBe('a');
      expect(await subscriptions.lastWatcher(topic, { after: 'd' })).toBeUndefined();
    });

    it('says since when each watches a topic, the last time counts, and no longer than it is due', async () => {
      const topic = newTopic();
      const [one, other] = [newConnection(), newConnection()];
      await subscriptions.add({ topic, connection: one, since, expiresAt });
      await subscriptions.add({ topic, connection: one, since: secondsLater(3), expiresAt });
      await subscriptions.add({ topic, connection: other, since, expiresAt: secondsLater(5) });
      const subscribersAt = async (now: string) => {
        const found = [];
        for await (const page of subscriptions.subscribers(topic, now)) found.push(...page);
        return found.toSorted((left, right) => (left.since < right.since ? -1 : 1));
      };
      expect(await subscribersAt(secondsLater(4))).toEqual([
        { connection: other, since },
        { connection: one, since: secondsLater(3) },
      ]);
      expect(await subscribersAt(secondsLater(5))).toEqual([{ connection: one, since: secondsLater(3) }]);
    });

    it('keeps what a connection confirmed last, and not what came late or says nothing new', async () => {
      const connection = newConnection();
      const [job, sibling] = [`job_${randomUUID()}`, `job_${randomUUID()}`];
      const confirm = (heads: Record<string, number>, at: number) =>
        subscriptions.confirm({ connection, heads, at: secondsLater(at), expiresAt });
      const confirmed = async (id: string) =>
        (await subscriptions.confirmedHeads(id, [connection, newConnection()])).get(connection);
      expect(await confirmed(job)).toBeUndefined();
      await confirm({ [job]: 3, [sibling]: 0 }, 10);
      expect(await confirmed(job)).toEqual({ seq: 3, at: secondsLater(10) });
      expect(await confirmed(sibling)).toEqual({ seq: 0, at: secondsLater(10) });
      await confirm({ [job]: 2, [sibling]: 0 }, 9);
      await confirm({ [sibling]: 0, [job]: 3 }, 35);
      expect(await confirmed(job)).toEqual({ seq: 3, at: secondsLater(10) });
      await confirm({ [job]: 4 }, 35);
      expect(await confirmed(job)).toEqual({ seq: 4, at: secondsLater(35) });
      expect(await confirmed(sibling)).toBeUndefined();
    });

    it('holds a confirmation apart from subscriptions, and removes it with its connection', async () => {
      const connection = newConnection();
      const topic = newTopic();
      const job = `job_${randomUUID()}`;
      await subscriptions.add({ topic, connection, since, expiresAt });
      await subscriptions.confirm({ connection, heads: { [job]: 1 }, at: MADE_AT, expiresAt });
      expect(await subscriptions.count(connection)).toBe(1);
      expect(await subscriptions.removeConnection(connection)).toBe(1);
      expect((await subscriptions.confirmedHeads(job, [connection])).size).toBe(0);
      expect(await watchersOf(topic)).toEqual([]);
    });

    it('reads what a hundred connections confirmed, of as many jobs as a ping can name', async () => {
      const job = `job_${randomUUID()}`;
      const others = Array.from({ length: 499 }, () => [`job_${randomUUID()}`, 1]);
      const connections = Array.from({ length: 100 }, newConnection);
      await Promise.all(
        connections.map((connection, seq) =>
          subscriptions.confirm({
            connection,
            heads: { ...Object.fromEntries(others), [job]: seq },
            at: MADE_AT,
            expiresAt,
          }),
        ),
      );
      const heads = await subscriptions.confirmedHeads(job, connections);
      expect(connections.map((connection) => heads.get(connection)?.seq)).toEqual(
        connections.map((_, seq) => seq),
      );
    });
  });
}
