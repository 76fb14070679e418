import { describe, expect, it } from 'vitest';
import { isTerminal, mayFollow, STATUSES, type Status, statusesBefore } from '../../protocol/status.ts';

/** The wire contract, "A job", typed from the page and not from the module. */
const CONTRACT: Readonly<Record<Status, readonly Status[]>> = {
  'awaiting-upload': ['queued', 'cancelled', 'expired'],
  queued: ['running', 'cancelled', 'failed'],
  running: ['succeeded', 'failed', 'cancelled'],
  succeeded: [],
  failed: [],
  cancelled: [],
  expired: [],
};

describe('the status machine', () => {
  it('allows what the contract says, and nothing else', () => {
    for (const from of STATUSES) {
      expect(STATUSES.filter((to) => mayFollow(from, to)).toSorted(), from).toEqual(
        CONTRACT[from].toSorted(),
      );
    }
  });

  it('knows the statuses before each', () => {
    for (const to of STATUSES) {
      expect(statusesBefore(to)).toEqual(STATUSES.filter((from) => CONTRACT[from].includes(to)));
    }
    expect(statusesBefore('awaiting-upload')).toEqual([]);
  });

  it('ends with exactly four statuses', () => {
    expect(STATUSES.filter(isTerminal)).toEqual(['succeeded', 'failed', 'cancelled', 'expired']);
  });

  it('enters no status twice: every path is finite', () => {
    const walk = (status: Status, path: readonly Status[]): void => {
      expect(path).not.toContain(status);
      for (const next of STATUSES) if (mayFollow(status, next)) walk(next, [...path, status]);
    };
    walk('awaiting-upload', []);
  });
});
