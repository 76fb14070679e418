import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { JobRecord, TicketScope } from '../../../handlers/ports.ts';
import { jobFrame, type ServerFrame, serializeFrame } from '../../../protocol/frames.ts';
import { interleaved } from './interleaved.ts';
import { ANN, CONNECTION, jobId, SocketSetting, ticketFor } from './socket-setting.ts';

function seqOf(frame: ServerFrame): number {
  if (frame.type === 'job') return frame.job.seq;
  if (frame.type !== 'subscribed') return 0;
  if ('job' in frame) return frame.job.seq;
  return 'head' in frame ? frame.head.seq : 0;
}

/** Whatever the order in which a subscription, changes and their publication take their steps. */
async function newestSeen(scheduler: fc.Scheduler, scope: TicketScope, changes: number): Promise<number> {
  const publications: Promise<void>[] = [];
  /** What publish does: it asks who watches, after the commit, and posts. */
  const publish = interleaved(scheduler, async (record: JobRecord) => {
    for (const { connection } of await setting.watchersOf(`job:${record.job.id}`)) {
      await setting.connections.post(connection, serializeFrame(jobFrame(record.job)));
    }
  });
  const setting = new SocketSetting(
    (own) => ({
      jobs: {
        read: interleaved(scheduler, (id: string) => own.jobs.read(id)),
        readMany: (ids) => own.jobs.readMany(ids),
      },
      subscriptions: {
        add: interleaved(scheduler, (row: Parameters<typeof own.subscriptions.add>[0]) =>
          own.subscriptions.add(row),
        ),
        remove: (topic, connection) => own.subscriptions.remove(topic, connection),
        removeConnection: (connection) => own.subscriptions.removeConnection(connection),
        has: (topic, connection) => own.subscriptions.has(topic, connection),
        count: (connection) => own.subscriptions.count(connection),
        confirm: (confirmation) => own.subscriptions.confirm(confirmation),
      },
    }),
    (record) => void publications.push(publish(record)),
  );
  await setting.createJob(1);
  const change = interleaved(scheduler, () => setting.touch(1));
  const happenings: Promise<unknown>[] = Array.from({ length: changes }, () => change());
  const subscribed = setting.send({ type: 'subscribe', id: 's', job: jobId(1) }, scope);
  await scheduler.waitFor(Promise.all([...happenings, subscribed]));
  await scheduler.waitFor(Promise.all(publications));
  expect((await subscribed).type).toBe('subscribed');
  expect(setting.connections.isOpen(CONNECTION)).toBe(true);
  return Math.max(...[await subscribed, ...setting.posted()].map(seqOf));
}

test('no update is missed, whatever happens between the row and the snapshot', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.scheduler(),
      fc.constantFrom(ANN, ticketFor(1)),
      fc.integer({ min: 1, max: 5 }),
      async (scheduler, scope, changes) => {
        expect(await newestSeen(scheduler, scope, changes)).toBe(changes + 1);
      },
    ),
    { numRuns: 500 },
  );
});
