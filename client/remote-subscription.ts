import { type Head, isNewer } from '../protocol/head.ts';
import type { Job } from '../protocol/job.ts';
import { isTerminal } from '../protocol/status.ts';
import type { ConnectionState } from './state.ts';
import type { Subscription } from './subscription.ts';
import type { Want } from './tab-messages.ts';

/** A watcher of another tab, as it stands with the leader. */
export interface Remote extends Subscription {
  connection: ConnectionState;
  /** Takes what the watcher has now. */
  renew(want: Want): void;
}

/**
 * Watches for another tab. What is posted to it counts as what it has: channels between tabs lose nothing while
 * the tab lives.
 */
export function createRemote(want: Want, postJob: (job: Job) => void, changed: () => void): Remote {
  const { target } = want;
  let since: Head | undefined;
  let heads = new Map<string, number>();
  const remote: Remote = {
    target,
    connection: { status: 'connecting' },
    renew(renewed) {
      since = renewed.since;
      heads = new Map(renewed.heads);
    },
    since: () => since,
    heads: () => heads,
    receive(job) {
      if ('job' in target) {
        if (target.job !== job.id || !isNewer(job, since)) return;
        since = { epoch: job.epoch, seq: job.seq };
      }
      if (isTerminal(job.status)) heads.delete(job.id);
      else heads.set(job.id, Math.max(job.seq, heads.get(job.id) ?? 0));
      postJob(job);
    },
    trouble() {},
    changeState(state) {
      remote.connection = state;
      changed();
    },
  };
  remote.renew(want);
  return remote;
}
