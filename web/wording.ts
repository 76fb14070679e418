import {
  ConnectionRefusedError,
  ProblemError,
  SubscriptionRefusedError,
  TicketRefusedError,
  UnexpectedAnswerError,
  UnreachableError,
  UploadRefusedError,
} from '../client/errors.ts';
import type { ConnectionState } from '../client/state.ts';
import type { Job } from '../protocol/job.ts';
import type { ShownStatus } from './shown-status.ts';
import { formatGrowing } from './units.ts';

/** What people call a status. */
export const STATUS_LABELS: Readonly<Record<ShownStatus, string>> = {
  'awaiting-upload': 'Waiting for file',
  queued: 'Queued',
  running: 'Running',
  stalled: 'Stalled',
  succeeded: 'Succeeded',
  failed: 'Failed',
  cancelled: 'Cancelled',
  expired: 'Expired',
};

/** What a job is called: its file, or its id where it came without one. */
export function jobName(job: Job): string {
  return job.input?.fileName ?? job.id;
}

/** One sentence or two for whoever reads the page: what went wrong and what to do. */
export function explain(error: unknown): string {
  if (error instanceof UnreachableError) {
    return 'The server could not be reached. Check that you are online and that it runs.';
  }
  if (error instanceof UnexpectedAnswerError) {
    return 'What answers at the address of the API is not a Jobwire API. Check the deployment of this page.';
  }
  if (error instanceof UploadRefusedError) {
    return `The storage refused the file (${error.code ?? `status ${error.status}`}).`;
  }
  if (error instanceof ProblemError) return explainProblem(error);
  if (error instanceof TicketRefusedError) return 'You are not allowed to watch here. Sign in again.';
  if (error instanceof ConnectionRefusedError || error instanceof SubscriptionRefusedError) {
    return `${sentence(error.message)} Reload the page to try again.`;
  }
  return error instanceof Error ? sentence(error.message) : 'Something unexpected happened. Reload the page.';
}

function explainProblem({ problem }: ProblemError): string {
  const issues = (problem.issues ?? []).map((issue) => `${issue.path}: ${issue.message}`).join('; ');
  const details = [problem.title, problem.detail, issues].filter((part) => part !== undefined && part !== '');
  return details.map((part) => sentence(String(part))).join(' ');
}

function sentence(text: string): string {
  const start = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(start) ? start : `${start}.`;
}

/** What the light says, in words that last: without the seconds, which `connectionAge` adds. */
export function connectionLabel(state: ConnectionState): string {
  switch (state.status) {
    case 'connecting':
      return 'Connecting';
    case 'live':
      return 'Live';
    case 'polling':
      return 'Polling';
    case 'reconnecting':
      return 'Reconnecting';
    case 'stale':
      return 'Out of date';
    case 'closed':
      return 'Not connected';
  }
}

/** The same in a sentence: what it means for what is shown. */
export function explainConnection(state: ConnectionState): string {
  switch (state.status) {
    case 'connecting':
      return 'The first connection is being made.';
    case 'live':
      return 'Every change shows here the moment it is committed.';
    case 'polling':
      return 'WebSockets are blocked on the way to the server. Changes are asked for instead, and show a second or so late.';
    case 'reconnecting':
      return 'The connection was lost. What is shown may be old; the page goes on trying.';
    case 'stale':
      return 'Nothing has been confirmed for a while. What is shown may be old; the page goes on trying.';
    case 'closed':
      return 'Nothing more will come. Reload the page to try again.';
  }
}

/** How long what is shown may have been out of date. */
export function connectionAge(state: ConnectionState, now: number): string | undefined {
  if (state.status === 'reconnecting') return `for ${formatGrowing(now - state.since)}`;
  if (state.status !== 'stale') return undefined;
  return state.confirmedAt === undefined
    ? 'never reached the server'
    : `last heard ${formatGrowing(now - state.confirmedAt)} ago`;
}
