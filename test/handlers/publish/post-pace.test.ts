import { expect, test } from 'vitest';
import { PostPace } from '../../../handlers/publish/post-pace.ts';

/** A pace on a clock that only waiting moves. */
class Paced {
  now = 5_000;
  readonly pace = new PostPace({
    perSecond: 1_000,
    now: () => this.now,
    pause: async (milliseconds) => {
      this.now += milliseconds;
    },
  });

  /** How many milliseconds so many posts take. */
  async time(posts: number): Promise<number> {
    const begun = this.now;
    for (let index = 0; index < posts; index += 1) await this.pace.take();
    return this.now - begun;
  }
}

test('posts are spread evenly, with what was left unused in the last moment', async () => {
  const paced = new Paced();
  expect(await paced.time(1_000)).toBeCloseTo(1_000 - 20 - 1, 3);
  paced.now += 60_000; // frozen between two invocations: nothing is made good
  expect(await paced.time(1_000)).toBeCloseTo(1_000 - 20 - 1, 3);
});

test('throttling halves the pace down to a sixteenth; what goes through adds an eighth', async () => {
  const paced = new Paced();
  paced.pace.slowDown();
  expect(paced.pace.perSecond).toBe(500);
  for (let times = 0; times < 9; times += 1) paced.pace.slowDown();
  expect(paced.pace.perSecond).toBe(62.5);
  expect(await paced.time(1_000)).toBeGreaterThan(15_900);
  paced.pace.recover();
  expect(paced.pace.perSecond).toBe(187.5);
  for (let times = 0; times < 20; times += 1) paced.pace.recover();
  expect(paced.pace.perSecond).toBe(1_000);
});
