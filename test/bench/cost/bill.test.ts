import { describe, expect, it } from 'vitest';
import { type Bill, billOf, equalInterval, heardOf, pollingDollars } from '../../../bench/cost/bill.ts';
import { type Load, loadOf } from '../../../bench/cost/load.ts';
import type { Meter } from '../../../bench/cost/prices.ts';
import { DEFAULT_WAYS, type Ways } from '../../../bench/cost/ways.ts';

/** A thousand jobs a day of ten seconds each, without an upload worth speaking of. */
const SMALL: Partial<Load> = {
  jobsPerDay: 1_000,
  watchers: 2,
  updates: 5,
  uploadSeconds: 0,
  jobSeconds: 10,
  watchMinutes: 1,
  payloadMb: 1,
  resultKb: 0,
  stateKb: 1,
  pingSeconds: 25,
  pollSeconds: 2,
};
const JOBS = 30_000;

function quantity(bill: Bill, part: keyof Bill, meter: Meter): number {
  return bill[part]?.items.find((item) => item.meter === meter)?.quantity ?? 0;
}

describe('the bill of push', () => {
  const bill = billOf(loadOf(SMALL));

  it('counts messages: each watcher’s frames, its subscribe and its pings with their answers', () => {
    // 9 states: created, queued, running, 5 reports, succeeded. All but the first are pushed.
    const frames = 8;
    const asked = 2 + 2 * 2; // subscribe and two pings in a minute
    expect(quantity(bill, 'push', 'socketMessages')).toBe(JOBS * 2 * (frames + asked));
    expect(quantity(bill, 'push', 'connectionMinutes')).toBe(JOBS * 2);
  });

  it('counts a ticket for each watcher but the one who made the job', () => {
    expect(quantity(bill, 'push', 'httpRequests')).toBe(JOBS);
  });

  it('counts reads and writes by the budget of requests', () => {
    const published = 9 * 2; // two topics, a unit each
    const ofAWatcher = 1 + 2 * 1 + 0.5; // subscribe, two pings, $disconnect
    expect(quantity(bill, 'push', 'readUnits')).toBe(JOBS * (published + 1 + 2 * ofAWatcher)); // 1: the ticket
    const written = 2 + (2 + 1) + 4; // subscribe, the first ping and one that tells more, $disconnect
    expect(quantity(bill, 'push', 'writeUnits')).toBe(JOBS * 2 * written);
  });

  it('counts an invocation for each change, connect, frame and disconnect', () => {
    const ofAWatcher = 2 + 1 + 2 + 1; // authorize and $connect, subscribe, two pings, $disconnect
    expect(quantity(bill, 'push', 'invocations')).toBe(JOBS * (9 + 1 + 2 * ofAWatcher));
    const merged = billOf(loadOf({ ...SMALL, changesPerBatch: 3 }));
    expect(quantity(merged, 'push', 'invocations')).toBe(JOBS * (3 + 1 + 2 * ofAWatcher));
  });

  it('grows with the connections that a long watch takes', () => {
    const long = billOf(loadOf({ ...SMALL, watchMinutes: 240 }));
    expect(quantity(long, 'push', 'connectionMinutes')).toBe(JOBS * 2 * 240);
    expect(quantity(long, 'push', 'httpRequests')).toBe(JOBS * (2 * 3 - 1));
  });
});

describe('the bill of push to a large audience', () => {
  /** Ten jobs a day, each of 70 seconds and 107 states. */
  const LARGE: Partial<Load> = { jobsPerDay: 10, watchers: 100_000, updates: 100 };
  const JOBS_OF_A_MONTH = 300;

  it('counts the states that there is time to tell: one in twenty seconds to a hundred thousand', () => {
    const load = loadOf({ ...LARGE, pingSeconds: 600 }); // no pings
    expect(heardOf(load).heard).toBe(4);
    const asked = 2 * 100_000;
    expect(quantity(billOf(load), 'push', 'socketMessages')).toBe(JOBS_OF_A_MONTH * (4 * 100_000 + asked));
    expect(heardOf(loadOf({ ...LARGE, postsPerSecond: 20_000 })).heard).toBe(15);
  });

  it('shares the pace among the jobs of a moment', () => {
    const allDay = loadOf({ ...LARGE, jobsPerDay: (2 * 86_400) / 70 });
    expect(heardOf(allDay).heard).toBe(2);
  });

  it('counts what pings find that was not told', () => {
    const load = loadOf({ ...LARGE, pingSeconds: 30 });
    // Two pings, of which the second finds a state that was skipped; subscribe, and what each is answered.
    expect(quantity(billOf(load), 'push', 'socketMessages')).toBe(
      JOBS_OF_A_MONTH * 100_000 * (4 + 2 + 4 + 1),
    );
  });

  it('counts an announcement a state and an invocation a range', () => {
    const load = loadOf({ ...LARGE, pingSeconds: 600 });
    const { states } = heardOf(load);
    const ofTheCrowd = 100_000 * (2 + 1 + 1) + (100_000 - 1); // authorize, $connect, subscribe, $disconnect; tickets
    expect(quantity(billOf(load), 'push', 'invocations')).toBe(
      JOBS_OF_A_MONTH * (1 + states + 4 * 100 + ofTheCrowd),
    );
    // A message a round and a range: sent, ten ranges at a time, received and deleted.
    expect(quantity(billOf(load), 'push', 'queueRequests')).toBe(
      JOBS_OF_A_MONTH * 4 * (3 + Math.ceil(99 / 10) + 2 * 99),
    );
  });

  it('is that of a small one up to a thousand watchers', () => {
    const { heard, states } = heardOf(loadOf({ ...LARGE, watchers: 1_000 }));
    expect(heard).toBe(states);
    expect(quantity(billOf(loadOf({ ...LARGE, watchers: 1_000 })), 'push', 'queueRequests')).toBe(0);
  });
});

describe('the bill of polling', () => {
  it('counts a request, an invocation and a read for each poll', () => {
    const bill = billOf(loadOf(SMALL));
    for (const meter of ['httpRequests', 'invocations', 'readUnits'] as const) {
      expect(quantity(bill, 'polling', meter)).toBe(JOBS * 2 * 30);
    }
    expect(quantity(bill, 'polling', 'socketMessages')).toBe(0);
    expect(quantity(bill, 'polling', 'writeUnits')).toBe(0);
  });

  it('is dearer the more often is polled', () => {
    const load = loadOf(SMALL);
    expect(pollingDollars(load, 1)).toBeCloseTo(2 * pollingDollars(load, 2), 0);
    expect(billOf(load).polling.dollars).toBe(pollingDollars(load, 2));
  });
});

describe('what both ways need', () => {
  it('counts the flows of each job', () => {
    const bill = billOf(loadOf(SMALL));
    // Put with its index, queued, claim, 5 reports, and the end with two.
    expect(quantity(bill, 'common', 'writeUnits')).toBe(JOBS * (2 + 1 + 1 + 5 + 2));
    // Of the API, of object-created, of process; and two looks for deadlines.
    expect(quantity(bill, 'common', 'invocations')).toBe(JOBS * (1 + 1 + 1 + 2));
    expect(quantity(bill, 'common', 'events')).toBe(JOBS);
    // Seven days of 30: a payload of 1 MB each.
    expect(quantity(bill, 'common', 'objectGigabytes')).toBeCloseTo((JOBS * 0.001 * 7) / 30);
    const work = 10 * (1769 / 1024);
    const gigabyteSeconds = quantity(bill, 'common', 'gigabyteSeconds');
    expect(gigabyteSeconds / JOBS).toBeGreaterThan(work);
    expect(gigabyteSeconds / JOBS).toBeLessThan(work + 0.1);
  });

  it('writes a unit more for each KB more of a job', () => {
    const bill = billOf(loadOf({ ...SMALL, stateKb: 3 }));
    expect(quantity(bill, 'common', 'writeUnits')).toBe(JOBS * (2 + 1 + 1 + 5 + 2 + 9 * 2));
  });

  it('uploads what is large in parts', () => {
    const bill = billOf(loadOf({ ...SMALL, payloadMb: 1_000 }));
    const parts = Math.ceil(1e9 / (8 * 1024 ** 2));
    expect(quantity(bill, 'common', 'objectWrites')).toBe(JOBS * (parts + 2 + 1)); // begin, complete; the result
  });

  it('signs silent work’s life every twenty seconds', () => {
    const silent = billOf(loadOf({ ...SMALL, updates: 0, jobSeconds: 60 }));
    expect(quantity(silent, 'common', 'writeUnits')).toBe(JOBS * (2 + 1 + 1 + 3 + 2));
  });

  it('costs something each month without any job', () => {
    const bill = billOf(loadOf({ ...SMALL, jobsPerDay: 0 }));
    expect(bill.common.dollars).toBeGreaterThan(1);
    expect(bill.common.dollars).toBeLessThan(15);
    expect(bill.push.dollars + bill.polling.dollars).toBe(0);
  });
});

describe('the bill of a workflow', () => {
  const by = (processing: Ways['processing'], said: Partial<Load> = {}) =>
    billOf(loadOf({ ...SMALL, payloadMb: 1_000, ...said }), { ...DEFAULT_WAYS, processing });
  const RANGES = 8; // of 128 MiB, in a gigabyte

  it('counts a transition for each state that is entered and for the end', () => {
    const states = 5 + RANGES; // Begin, Claimed, Inspect, Profile with its ranges, Merge
    expect(quantity(by('step-functions'), 'common', 'transitions')).toBe(JOBS * (states + 1));
    expect(quantity(by('step-functions-efs'), 'common', 'transitions')).toBe(JOBS * (states + 1 + 1));
    expect(quantity(by('lambda'), 'common', 'transitions')).toBe(0);
    expect(quantity(by('step-functions', { payloadMb: 1 }), 'common', 'transitions')).toBe(JOBS * 7);
  });

  it('counts what each step asks S3 for: once with shared files', () => {
    const looked = 1; // at the object, when it arrives
    expect(quantity(by('lambda'), 'common', 'objectReads')).toBe(JOBS * (looked + 1));
    expect(quantity(by('step-functions-efs'), 'common', 'objectReads')).toBe(JOBS * (looked + 1));
    const ofSteps = 1 + RANGES * 2 + 1 + RANGES; // inspect; plan and range; plan and profiles
    expect(quantity(by('step-functions'), 'common', 'objectReads')).toBe(JOBS * (looked + ofSteps));
  });

  it('counts what is written to and read from the shared file system', () => {
    const shared = by('step-functions-efs');
    expect(quantity(shared, 'common', 'fileWrites')).toBeCloseTo(JOBS);
    expect(quantity(shared, 'common', 'fileReads')).toBeCloseTo(JOBS * 2);
    expect(quantity(by('step-functions'), 'common', 'fileReads')).toBe(0);
  });

  it('counts an invocation for each step, and the time of reading the file once more', () => {
    const [lambda, workflow] = [by('lambda'), by('step-functions')];
    const more = 1 + 1 + RANGES + 1 - 1; // begin, inspect, profile, merge instead of process
    const invocations = (bill: Bill) => quantity(bill, 'common', 'invocations') / JOBS;
    expect(invocations(workflow) - invocations(lambda)).toBe(more);
    const seconds = (bill: Bill) => quantity(bill, 'common', 'gigabyteSeconds') / JOBS;
    expect(seconds(workflow) / seconds(lambda)).toBeGreaterThan(1.2);
    expect(seconds(workflow) / seconds(lambda)).toBeLessThan(1.3);
  });

  it('has at least the changes that its steps report', () => {
    const silent = { updates: 0, payloadMb: 1 };
    const frames = (bill: Bill) => quantity(bill, 'push', 'socketMessages') / JOBS / 2;
    const ofSteps = 2 + 2 + 1;
    expect(frames(by('step-functions', silent)) - frames(by('lambda', silent))).toBe(ofSteps);
    expect(frames(by('step-functions', { payloadMb: 1, updates: 50 }))).toBe(
      frames(by('lambda', { updates: 50 })),
    );
  });
});

describe('the bill of a broker', () => {
  const ways: Ways = { ...DEFAULT_WAYS, broadcast: 'iot-core' };
  const bill = billOf(loadOf(SMALL), ways);

  it('is there where there is a broker', () => {
    expect(billOf(loadOf(SMALL)).broadcast).toBeUndefined();
    expect(bill.common.dollars).toBe(billOf(loadOf(SMALL)).common.dollars);
  });

  it('counts a publication as retained, too, and each message to a watcher with its acknowledgement', () => {
    const published = 9 * 2;
    const ofAWatcher = 2 + 2 + 8 * 2; // CONNECT, SUBSCRIBE, the retained state, and the rest
    expect(quantity(bill, 'broadcast', 'brokerMessages')).toBe(JOBS * (published + 2 * ofAWatcher));
    expect(quantity(bill, 'broadcast', 'brokerMinutes')).toBe(JOBS * 2);
  });

  it('publishes once however many watch, and asks the authorizer once a connection', () => {
    const ofAWatcher = 1 + 1; // the authorizer, and one look at the job
    expect(quantity(bill, 'broadcast', 'invocations')).toBe(JOBS * (9 + 1 + 2 * ofAWatcher)); // 1: the ticket
    expect(quantity(bill, 'broadcast', 'writeUnits')).toBe(0);
    const long = billOf(loadOf({ ...SMALL, watchMinutes: 240 }), ways);
    expect(quantity(long, 'broadcast', 'httpRequests')).toBe(JOBS * (2 * 3 - 1 + 2 * 3));
  });

  it('counts what a watcher is sent again while the job says nothing', () => {
    const quiet = billOf(loadOf({ ...SMALL, watchMinutes: 60, pingSeconds: 60 }), ways);
    const silent = 60 - 9; // a heartbeat each minute, of which those behind a state ask for nothing
    expect(
      quantity(quiet, 'broadcast', 'brokerMessages') - quantity(bill, 'broadcast', 'brokerMessages'),
    ).toBe(JOBS * 2 * silent * 3);
  });

  it('counts a state that does not fit into one metered message as more', () => {
    const large = billOf(loadOf({ ...SMALL, stateKb: 6 }), ways);
    expect(quantity(large, 'broadcast', 'brokerMessages')).toBe(
      2 * quantity(bill, 'broadcast', 'brokerMessages'),
    );
  });
});

describe('the interval at which polling costs as much as push', () => {
  it('is where both bills are equal', () => {
    const load = loadOf(SMALL);
    const interval = equalInterval(load);
    if (interval === undefined) throw new Error('There is none');
    expect(pollingDollars(load, interval) / billOf(load).push.dollars).toBeCloseTo(1, 3);
    expect(pollingDollars(load, interval / 2)).toBeGreaterThan(billOf(load).push.dollars);
  });

  it('is shorter the more is pushed', () => {
    const few = equalInterval(loadOf({ ...SMALL, updates: 1 })) ?? 0;
    const many = equalInterval(loadOf({ ...SMALL, updates: 90 })) ?? 0;
    expect(many).toBeLessThan(few);
  });

  it('is absent where nobody watches', () => {
    expect(equalInterval(loadOf({ ...SMALL, watchers: 0 }))).toBeUndefined();
    expect(equalInterval(loadOf({ ...SMALL, watchers: 0, jobsPerDay: 0 }))).toBeUndefined();
  });
});
