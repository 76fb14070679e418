import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { UnavailableError } from '../../handlers/errors.ts';
import { resultInOnePass } from '../handlers/process/profile-of.ts';
import { FILE, LIMITS, type Variant, WorkflowWorld } from '../handlers/process/workflow/workflow-world.ts';

/** Steps that run at the same moment; a number is that of a range, modulo as many as there are. */
type Wave = readonly (number | 'begin' | 'fetch' | 'inspect')[];

interface Schedule {
  readonly variant: Variant;
  readonly waves: readonly Wave[];
  /** How long each write takes, in turns of the event loop, over and over. */
  readonly delays: readonly number[];
  /** Which writes are made without an answer, over and over. */
  readonly lost: readonly boolean[];
  readonly merges: number;
}

const step = fc.oneof(
  { weight: 6, arbitrary: fc.nat({ max: 30 }) },
  { weight: 1, arbitrary: fc.constantFrom('begin' as const, 'fetch' as const, 'inspect' as const) },
);

const schedules: fc.Arbitrary<Schedule> = fc.record({
  variant: fc.constantFrom<Variant>('step-functions', 'step-functions-efs'),
  waves: fc.array(fc.array(step, { minLength: 1, maxLength: 6 }), { maxLength: 6 }),
  delays: fc.array(fc.nat({ max: 3 }), { minLength: 1, maxLength: 7 }),
  lost: fc.array(fc.boolean(), { maxLength: 5 }),
  merges: fc.integer({ min: 1, max: 2 }),
});

test('steps in any order and any number of times come to one result, and no fraction goes back', async () => {
  const { body } = await resultInOnePass([FILE], LIMITS);
  await fc.assert(
    fc.asyncProperty(schedules, async (schedule) => {
      const world = new WorkflowWorld(schedule.variant);
      await world.queue();
      let writes = 0;
      world.jobs.before = async () => {
        const turns = schedule.delays[writes % schedule.delays.length] ?? 0;
        for (let count = 0; count < turns; count += 1) await turn();
        return undefined;
      };
      world.jobs.after = () => {
        writes += 1;
        // Never two in a row: what is lost is asked for again.
        const lost = writes % 2 === 0 && schedule.lost[(writes / 2) % schedule.lost.length];
        return lost ? new UnavailableError('DynamoDB') : undefined;
      };
      const ranges = await world.whileTimePasses(() => world.toMap());
      const run = (wanted: Wave[number]): Promise<unknown> => {
        if (typeof wanted === 'number') return world.profile(wanted % ranges.length);
        return world[wanted]();
      };
      for (const wave of schedule.waves) {
        await world.whileTimePasses(() => Promise.all(wave.map(run)));
      }
      await world.whileTimePasses(() => Promise.all(ranges.map(run)));
      await world.whileTimePasses(() =>
        Promise.all(Array.from({ length: schedule.merges }, () => world.merge())),
      );
      const ended = (await world.job()).job;
      expect(ended).toMatchObject({ status: 'succeeded', message: 'profiled 40 rows of 2 columns' });
      expect(Buffer.from(world.results.resultOf(world.record)?.body ?? []).toString()).toBe(body);
      const fractions = world.states.map(({ job }) => job.progress?.fraction ?? 0);
      expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
      // Whoever comes late finds the job ended, and leaves nothing.
      for (const late of [0, 'inspect', 'fetch'] as const)
        await expect(world.whileTimePasses(() => run(late))).rejects.toMatchObject({ name: 'StepStopped' });
      await world.ended('FAILED');
      expect((await world.job()).job).toEqual(ended);
      expect(world.files).toEqual([]);
      expect(world.clock.pending).toBe(0);
    }),
    { numRuns: 60 },
  );
});
