import { describe, expect, it } from 'vitest';
import { PollSchedule } from '../../../local/events/poll-schedule.ts';
import { ManualClock } from '../manual-clock.ts';

/** Tells after how many milliseconds the next read is due, when the last one brought `found` records. */
async function delayMs(schedule: PollSchedule, clock: ManualClock, found: number): Promise<number> {
  let due = false;
  const next = schedule.next(found).then(() => {
    due = true;
  });
  const begun = clock.now();
  await Promise.resolve();
  await Promise.resolve();
  while (!due) {
    clock.advance(1);
    await Promise.resolve();
    await Promise.resolve();
    if (clock.now() - begun > 1_000) throw new Error('No read is due within a second');
  }
  await next;
  return clock.now() - begun;
}

describe('a schedule of reads', () => {
  it('is that of Lambda while nothing is written, and reads on while there is more than was announced', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    expect(await delayMs(schedule, clock, 0)).toBe(250);
    expect(await delayMs(schedule, clock, 1_000)).toBe(0);
    expect(await delayMs(schedule, clock, 3)).toBe(0);
    expect(await delayMs(schedule, clock, 0)).toBe(250);
  });

  it('reads at once when a write is announced, and not again once its record is there', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    const due = schedule.next(0);
    schedule.wake();
    await due;
    expect(await delayMs(schedule, clock, 1)).toBe(250);
  });

  it('looks again, ever less often, for a record that does not come, and then no more', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    const due = schedule.next(0);
    schedule.wake();
    await due;
    const delays: number[] = [];
    for (let read = 0; read < 6; read += 1) delays.push(await delayMs(schedule, clock, 0));
    expect(delays).toEqual([2, 5, 10, 20, 40, 250]);
  });

  it('reads at once for what is announced during a read that does not bring it', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    schedule.wake();
    expect(await delayMs(schedule, clock, 0)).toBe(0);
    schedule.wake();
    schedule.wake();
    expect(await delayMs(schedule, clock, 1)).toBe(0);
    expect(await delayMs(schedule, clock, 2)).toBe(250);
  });

  it('looks once more, a little later, for a record that was probably read before it was announced', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    expect(await delayMs(schedule, clock, 1)).toBe(0);
    schedule.wake();
    expect(await delayMs(schedule, clock, 0)).toBe(20);
    expect(await delayMs(schedule, clock, 0)).toBe(250);
  });

  it('waits for nothing once it is closed', async () => {
    const clock = new ManualClock();
    const schedule = new PollSchedule(clock);
    const due = schedule.next(0);
    schedule.close();
    await due;
    expect(clock.pending).toBe(0);
    expect(await delayMs(schedule, clock, 0)).toBe(0);
  });
});
