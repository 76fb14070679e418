import { randomUUID } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Audience, BroadcastRounds, RoundBeginning } from '../../handlers/broadcast-rounds.ts';

/** What every adapter of `BroadcastRounds` must do; each test uses an audience of its own. */
export function describeBroadcastRounds(name: string, start: () => Promise<BroadcastRounds>): void {
  describe(`BroadcastRounds: ${name}`, () => {
    let rounds: BroadcastRounds;
    beforeAll(async () => {
      rounds = await start();
    });

    const newAudience = (): Audience => ({ topic: `owner:${randomUUID()}`, job: `job_${randomUUID()}` });
    const begin = (audience: Audience, by: string, now: number, behind?: number): Promise<RoundBeginning> =>
      rounds.begin({ ...audience, by, now, until: now + 10, ...(behind === undefined ? {} : { behind }) });

    it('lets one round begin at a time', async () => {
      const audience = newAudience();
      expect(await begin(audience, 'a', 1_000)).toEqual({ begun: true, round: 1 });
      const waiting = {
        begun: false,
        round: 1,
        nextAt: 1_010,
        taken: false,
        followed: false,
        assured: false,
      };
      expect(await begin(audience, 'b', 1_009)).toEqual(waiting);
      expect(await begin(audience, 'b', 1_010)).toEqual({ begun: true, round: 2 });
      expect(await begin(newAudience(), 'b', 1_009)).toEqual({ begun: true, round: 1 });
      expect(await begin({ ...audience, job: 'job_other' }, 'b', 1_009)).toEqual({ begun: true, round: 1 });
    });

    it('of many who begin at the same moment, one does', async () => {
      const audience = newAudience();
      const all = await Promise.all(Array.from({ length: 8 }, (_, index) => begin(audience, `${index}`, 1)));
      expect(all.filter(({ begun }) => begun)).toHaveLength(1);
    });

    it('lets whoever has begun a round begin again in the same name, until it is taken', async () => {
      const audience = newAudience();
      await begin(audience, 'a', 1_000);
      expect(await begin(audience, 'a', 1_001)).toEqual({ begun: true, round: 2 });
      await rounds.take(audience, 'm', 1_020);
      expect(await begin(audience, 'a', 1_002)).toMatchObject({ begun: false, round: 2, assured: true });
      expect(await begin(audience, 'a', 1_030, 2)).toMatchObject({ begun: false, round: 2, assured: true });
      expect(await begin(audience, 'b', 1_050)).toEqual({ begun: true, round: 3 });
      expect(await begin(audience, 'a', 1_051)).toMatchObject({ begun: false, round: 3, assured: false });
    });

    it('lets whoever has followed a round begin none, however many have begun since', async () => {
      const audience = newAudience();
      await begin(audience, 'a', 1_000);
      await rounds.follow(audience, 1, 'b');
      expect(await begin(audience, 'b', 1_001)).toMatchObject({ begun: false, assured: true });
      await begin(audience, 'next', 1_010, 1);
      await rounds.take(audience, 'next', 1_020);
      expect(await begin(audience, 'b', 1_030)).toMatchObject({ begun: false, round: 2, assured: true });
      expect(await begin(audience, 'c', 1_030)).toEqual({ begun: true, round: 3 });
    });

    it('begins the one that follows a round, and no other', async () => {
      const audience = newAudience();
      expect(await begin(audience, 'a', 1_000, 7)).toEqual({ begun: true, round: 1 });
      expect(await begin(audience, 'b', 2_000, 7)).toMatchObject({ begun: false, round: 1 });
      expect(await begin(audience, 'b', 1_009, 1)).toMatchObject({ begun: false, round: 1 });
      expect(await begin(audience, 'b', 2_000, 1)).toEqual({ begun: true, round: 2 });
    });

    it('notes that a round is followed, until the next begins', async () => {
      const audience = newAudience();
      await begin(audience, 'a', 1_000);
      await rounds.follow(audience, 1, 'f');
      expect(await begin(audience, 'b', 1_001)).toMatchObject({ begun: false, followed: true });
      await begin(audience, 'b', 1_010);
      await rounds.follow(audience, 1, 'f');
      expect(await begin(audience, 'c', 1_011)).toMatchObject({ begun: false, round: 2, followed: false });
    });

    it('gives the newest round to one, who may ask again, and says when the next one may begin', async () => {
      const audience = newAudience();
      await begin(audience, 'a', 1_000);
      await begin(audience, 'a', 1_000);
      expect(await rounds.take(audience, 'first', 5_000)).toBe(2);
      expect(await rounds.take(audience, 'second', 9_000)).toBeUndefined();
      expect(await rounds.take(audience, 'first', 6_000)).toBe(2);
      expect(await begin(audience, 'b', 5_999)).toMatchObject({ begun: false, nextAt: 6_000, taken: true });
      expect(await begin(audience, 'b', 6_000)).toEqual({ begun: true, round: 3 });
      expect(await rounds.take(audience, 'second', 9_000)).toBe(3);
    });

    it('gives a round that nobody knows of any more, too', async () => {
      const audience = newAudience();
      expect(await rounds.take(audience, 'first', 5_000)).toBe(0);
      expect(await begin(audience, 'a', 4_999)).toMatchObject({ begun: false, round: 0 });
      expect(await begin(audience, 'a', 5_000)).toEqual({ begun: true, round: 1 });
    });

    it('lengthens the newest round alone, each time anew', async () => {
      const audience = newAudience();
      await begin(audience, 'a', 1_000);
      await rounds.lengthen(audience, 1, 100);
      await rounds.lengthen(audience, 1, 50);
      await rounds.lengthen(audience, 1, -30);
      await rounds.lengthen(audience, 2, 1_000);
      expect(await begin(audience, 'b', 1_129)).toMatchObject({ begun: false, nextAt: 1_130 });
      await rounds.lengthen(newAudience(), 1, 100);
    });
  });
}
