import * as v from 'valibot';
import { WebSocket } from 'ws';
import { CreatedJobSchema } from '../protocol/http.ts';
import { parse } from '../protocol/invalid.ts';
import { InvariantError } from './measure.ts';
import type { ProgressWriter } from './progress-writer.ts';

/** A job that is `running` by nobody but the benchmark, with one watcher on a plain socket. */
export interface WatchedJob {
  readonly id: string;
  /** Reads this one job. */
  readonly token: string;
  /**
   * Commits change number `change`, from 1 and ascending, as a report of progress: once the change before it has
   * been committed, since two writes under way could overtake each other. `onSend` is called when it is sent.
   */
  commit(change: number, onSend: () => void): Promise<void>;
  /** Called with the change that each frame tells of, in the order in which frames come. */
  onFrame: (change: number) => void;
  /** Ends the watcher. */
  close(): void;
}

/** More than a benchmark ever makes: a fraction is at most 1. */
const MAXIMUM_CHANGES = 1_000_000;

/** Only what the benchmark reads, so that looking at a frame costs as little as it can. */
const FrameSchema = v.object({
  type: v.literal('job'),
  job: v.object({ progress: v.exactOptional(v.object({ done: v.exactOptional(v.number()) })) }),
});

/** Creates a job through the API, claims it as the process function would, and watches it. */
export async function startWatchedJob(api: string, writer: ProgressWriter): Promise<WatchedJob> {
  const response = await fetch(`${api}/jobs`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ kind: 'csv-profile', fileName: 'bench.csv', contentType: 'text/csv', size: 1 }),
  });
  const created = parse('the created job', CreatedJobSchema, await response.json());
  const { id } = created.job;
  const at = () => new Date().toISOString();
  const execution = { id: 'bench', aliveUntil: new Date(Date.now() + 3_600_000).toISOString() };
  await writer.change(id, { at: at(), to: 'queued', set: { objectTag: '"bench"' } });
  await writer.change(id, { at: at(), to: 'running', set: { execution } });
  const url = `${created.watch.url}?${new URLSearchParams({ job: id, ticket: created.watch.ticket })}`;
  const socket = new WebSocket(url, { perMessageDeflate: false });
  let committed = Promise.resolve();
  const job: WatchedJob = {
    id,
    token: created.token,
    commit(done, onSend) {
      const report = async () => {
        onSend();
        await writer.change(id, {
          at: at(),
          within: ['running'],
          execution: execution.id,
          set: { progress: { done, unit: 'changes', fraction: done / MAXIMUM_CHANGES } },
        });
      };
      committed = committed.then(report);
      return committed;
    },
    onFrame: () => {},
    close: () => socket.terminate(),
  };
  await new Promise<void>((resolve, reject) => {
    socket.once('error', (cause) =>
      reject(new InvariantError(`A watcher was lost: ${cause.message}`, { cause })),
    );
    socket.on('message', (data) => {
      const frame = v.safeParse(FrameSchema, JSON.parse(String(data)));
      // An answer to nothing of ours, such as a greeting.
      if (!frame.success) return;
      resolve();
      job.onFrame(frame.output.job.progress?.done ?? 0);
    });
  });
  return job;
}
