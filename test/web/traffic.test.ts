import { describe, expect, it } from 'vitest';
import { quantile, Traffic } from '../../web/traffic.ts';
import { sampleJob } from '../client/sample-job.ts';

const committed = (at: number) => sampleJob(1, 'running', { updatedAt: new Date(at).toISOString() });
const NOON = Date.parse('2026-11-23T12:00:00.000Z');

describe('traffic', () => {
  it('counts and measures what was committed while the connection was live, and nothing else', () => {
    const traffic = new Traffic();
    traffic.arrived(committed(NOON - 50_000), NOON - 100); // a snapshot before anything
    traffic.changed({ status: 'live' }, NOON);
    traffic.arrived(committed(NOON - 40_000), NOON + 10); // caught up on
    traffic.arrived(committed(NOON + 1_000), NOON + 1_030);
    traffic.changed({ status: 'reconnecting', since: NOON + 2_000 }, NOON + 2_000);
    traffic.changed({ status: 'live' }, NOON + 9_000);
    traffic.changed({ status: 'live' }, NOON + 9_500);
    traffic.arrived(committed(NOON + 3_000), NOON + 9_010); // missed in between
    traffic.arrived(committed(NOON + 10_000), NOON + 10_020);
    traffic.publish();
    expect(traffic.figures.value).toMatchObject({ frames: 2, reconnects: 1, latencies: [30, 20], offset: 0 });
  });

  it('takes out the difference of the clocks as far as it shows', () => {
    const traffic = new Traffic();
    traffic.changed({ status: 'live' }, NOON);
    traffic.arrived(committed(NOON + 5_000), NOON + 1_000);
    traffic.arrived(committed(NOON + 6_000), NOON + 2_040);
    traffic.publish();
    expect(traffic.figures.value).toMatchObject({ latencies: [0, 40], offset: -4_000, checked: false });
  });

  it('tells quantiles', () => {
    expect([quantile([], 0.5), quantile([3, 1, 2], 0.5), quantile([1, 2, 3, 4], 0.95)]).toEqual([
      undefined,
      2,
      4,
    ]);
  });
});
