import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ChangeRefusedError, UnavailableError } from '../../../handlers/errors.ts';
import type { Work } from '../../../handlers/queue-messages.ts';
import { interleaved } from '../socket/interleaved.ts';
import { CONTENT, EVENT, UploadSetting } from './upload-setting.ts';

/** What may happen to one job besides the events of its upload. */
interface Course {
  /** How many times S3 tells of the upload, at the same moment or not. */
  readonly events: number;
  /** How many sends of work fail, as if the function had died there. */
  readonly crashes: number;
  /** How often the client uploads again, other bytes of the same size each time. */
  readonly overwrites: number;
  readonly cancels: boolean;
  /** Whether the process function takes the work while all this happens, or only much later. */
  readonly works: boolean;
}

const course: fc.Arbitrary<Course> = fc.record({
  events: fc.integer({ min: 1, max: 4 }),
  crashes: fc.integer({ min: 0, max: 3 }),
  overwrites: fc.integer({ min: 0, max: 2 }),
  cancels: fc.boolean(),
  works: fc.boolean(),
});

/** Every step that touches the world waits for the scheduler, which chooses the next one at random. */
async function run(scheduler: fc.Scheduler, { events, crashes, overwrites, cancels, works }: Course) {
  const at = '2026-11-23T12:01:00.000Z';
  const executions: string[] = [];
  const claims: Promise<void>[] = [];
  const sent: Work[] = [];
  let crashesLeft = crashes;
  const later = <Arguments extends unknown[], Result>(step: (...args: Arguments) => Promise<Result>) =>
    interleaved(scheduler, step);

  const claim = later(async (message: Work, execution: string) => {
    try {
      const aliveUntil = '2026-11-23T12:05:00.000Z';
      const set = { execution: { id: execution, aliveUntil } };
      await setting.jobs.change(message.job, { at, to: 'running', epoch: message.epoch, set });
      executions.push(execution);
    } catch (error) {
      if (!(error instanceof ChangeRefusedError)) throw error;
    }
  });
  const setting = new UploadSetting((own) => ({
    jobs: {
      read: later((id: string) => own.jobs.read(id)),
      change: later((...args: Parameters<typeof own.jobs.change>) => own.jobs.change(...args)),
    },
    uploads: {
      inspect: later((record: Parameters<typeof own.uploads.inspect>[0]) => own.uploads.inspect(record)),
    },
    work: {
      send: later(async (messages: readonly Work[]) => {
        if (crashesLeft > 0) {
          crashesLeft -= 1;
          throw new UnavailableError('SQS');
        }
        for (const message of messages) {
          sent.push(message);
          if (works) claims.push(claim(message, `run-${claims.length}`));
        }
      }),
    },
  }));
  const record = await setting.createJob();
  setting.uploads.put(record, CONTENT);

  /** Lambda repeats an event that failed. */
  const deliver = async (): Promise<void> => {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await setting.handle(EVENT);
      } catch (error) {
        if (!(error instanceof UnavailableError) || attempt > crashes) throw error;
      }
    }
  };
  const happenings = Array.from({ length: events }, deliver);
  const overwrite = later(async (version: string) => {
    setting.uploads.put(record, CONTENT.replaceAll('1', version));
  });
  for (const version of ['8', '9'].slice(0, overwrites)) happenings.push(overwrite(version).then(deliver));
  if (cancels) {
    const cancel = later(() => setting.jobs.change(EVENT.job, { at, to: 'cancelled' }));
    happenings.push(cancel().then(() => {}));
  }
  await scheduler.waitFor(Promise.all(happenings));
  await scheduler.waitFor(Promise.all(claims));
  return { executions, sent, setting, record };
}

test('duplicate, late, reordered and concurrent events, crashes and a second upload start exactly one execution', async () => {
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), course, async (scheduler, happening) => {
      const { executions, sent, setting, record } = await run(scheduler, happening);
      const stored = await setting.job();
      const statuses = stored.job.history.map((entry) => entry.status);
      expect(new Set(statuses).size).toBe(statuses.length);
      if (happening.cancels) {
        expect(stored.job.status).toBe('cancelled');
        expect(executions.length).toBeLessThanOrEqual(1);
        return;
      }
      expect(sent.length).toBeGreaterThanOrEqual(1);
      expect(executions).toHaveLength(happening.works ? 1 : 0);
      expect(stored.job.status).toBe(happening.works ? 'running' : 'queued');
      // Until the work starts the newest upload counts, however late its event or an older one is handled.
      if (!happening.works || happening.overwrites === 0) {
        expect(stored.objectTag).toBe((await setting.uploads.inspect(record))?.tag);
      }
    }),
    { numRuns: 500 },
  );
});
