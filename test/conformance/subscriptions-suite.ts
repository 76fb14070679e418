import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Subscriptions, SubscriptionTopic, Watcher } from '../../handlers/ports.ts';
import { MADE_AT, secondsLater } from './sample-jobs.ts';

/** What every adapter of `Subscriptions` must do; each test uses topics and connections of its own. */
export function describeSubscriptions(name: string, start: () => Promise<Subscriptions>): void {
  describe(`Subscriptions: ${name}`, () => {
    let subscriptions: Subscriptions;
    beforeAll(async () => {
      subscriptions = await start();
    });

    const expiresAt = secondsLater(7800);
    const newTopic = (): SubscriptionTopic => `job:${randomUUID()}`;
    const newConnection = () => `${randomUUID().slice(0, 15)}=`;

    async function watchersOf(topic: SubscriptionTopic, now = MADE_AT): Promise<readonly Watcher[]> {
      const pages: Watcher[] = [];
      for await (const page of subscriptions.watchers(topic, now)) {
        expect(page.length).toBeGreaterThan(0);
        pages.push(...page);
      }
      return pages.toSorted((one, other) => (one.connection < other.connection ? -1 : 1));
    }

    it('finds who watches a topic, and nobody else', async () => {
      const topic = newTopic();
      const [one, other] = [newConnection(), newConnection()].toSorted();
      if (one === undefined || other === undefined) throw new Error('two were made');
      await subscriptions.add({ topic, connection: one, expiresAt });
      await subscriptions.add({ topic, connection: other, expiresAt, connectingUntil: secondsLater(10) });
      await subscriptions.add({ topic: newTopic(), connection: one, expiresAt });
      expect(await watchersOf(topic)).toEqual([
        { connection: one },
        { connection: other, connectingUntil: secondsLater(10) },
      ]);
      expect(await watchersOf(newTopic())).toEqual([]);
    });

    it('renews a row: once in the topic, no longer connecting', async () => {
      const topic = newTopic();
      const connection = newConnection();
      await subscriptions.add({ topic, connection, expiresAt: secondsLater(1), connectingUntil: expiresAt });
      await subscriptions.add({ topic, connection, expiresAt });
      expect(await watchersOf(topic, secondsLater(2))).toEqual([{ connection }]);
      expect(await subscriptions.count(connection)).toBe(1);
    });

    it('leaves out rows that have expired, whether deleted or not', async () => {
      const topic = newTopic();
      const connection = newConnection();
      await subscriptions.add({ topic, connection, expiresAt: secondsLater(10.9) }); // kept as 10 s
      expect(await watchersOf(topic, secondsLater(9.999))).toEqual([{ connection }]);
      expect(await watchersOf(topic, secondsLater(10))).toEqual([]);
      expect(await watchersOf(topic, secondsLater(10.5))).toEqual([]);
    });

    it('removes one row, and does no harm where there is none', async () => {
      const topic = newTopic();
      const [one, other] = [newConnection(), newConnection()];
      for (const connection of [one, other]) await subscriptions.add({ topic, connection, expiresAt });
      await subscriptions.remove(topic, one);
      await subscriptions.remove(topic, one);
      expect(await watchersOf(topic)).toEqual([{ connection: other }]);
    });

    it('removes every row of a connection and no other', async () => {
      const connection = newConnection();
      const stranger = newConnection();
      const topics = Array.from({ length: 60 }, newTopic);
      await Promise.all(topics.map((topic) => subscriptions.add({ topic, connection, expiresAt })));
      const [shared] = topics;
      if (shared === undefined) throw new Error('sixty were made');
      await subscriptions.add({ topic: shared, connection: stranger, expiresAt });
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
        await Promise.all(part.map((connection) => subscriptions.add({ topic, connection, expiresAt })));
      }
      expect((await watchersOf(topic)).map(({ connection }) => connection)).toEqual(connections);
    });
  });
}
