import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobwireClient } from '../../client/client.ts';
import type { CreatedJob } from '../../protocol/http.ts';
import type { Job } from '../../protocol/job.ts';
import { createJob, post, terminalJob, upload } from './http-calls.ts';
import { csvRows } from './large-csv.ts';
import { type RunningJobwire, startJobwire } from './running-jobwire.ts';
import { expectedResult } from './variants/expected-result.ts';
import { executionsOf, expectNothingLeft, expectStopped } from './variants/work-remains.ts';

/** Two ranges, with a second of work in each. */
const CONTENT = csvRows(200_000);
const RANGE_MEGABYTES = 8;

/** The function that profiles a range. */
const PROFILE = 'WorkflowProfileFunction';

const FILE_NAME = 'measurements.csv';

describe.each(['step-functions', 'step-functions-efs'] as const)('a step of %s', (processing) => {
  const settings = { processing, rangeMegabytes: String(RANGE_MEGABYTES) };
  let jobwire: RunningJobwire;
  beforeAll(async () => {
    jobwire = await startJobwire(settings);
  });
  afterAll(async () => {
    await jobwire.close();
  });

  async function submit(): Promise<CreatedJob> {
    const created = await createJob(jobwire.api, { size: CONTENT.byteLength, fileName: FILE_NAME });
    expect((await upload(created, CONTENT)).ok).toBe(true);
    return created;
  }

  /** Waits until ranges are being profiled. */
  async function untilProfiling(): Promise<void> {
    const busy = () => jobwire.runtime.busyFunction(PROFILE);
    await expect.poll(busy, { interval: 20, timeout: 60_000 }).toBeGreaterThan(0);
  }

  /** How the invocations of the function that profiles ended, from a number on. */
  function outcomes(from: number): readonly string[] {
    return jobwire.reports
      .slice(from)
      .filter(({ functionName }) => functionName.includes(PROFILE))
      .map(({ outcome }) => (outcome === 'returned' ? outcome : outcome.errorType));
  }

  it('is done again when it was killed in the middle', async () => {
    const before = jobwire.reports.length;
    const { job, token } = await submit();
    const client = createJobwireClient({ api: jobwire.api });
    const watched = (async () => {
      const states: Job[] = [];
      for await (const state of client.watchJob(job.id, { token })) states.push(state);
      return states;
    })();
    await untilProfiling();
    const killed = jobwire.runtime.killFunction(PROFILE);
    expect(killed).toBeGreaterThan(0);
    const finished = await terminalJob(jobwire.api, job.id);
    expect(finished).toMatchObject({ status: 'succeeded' });
    const fractions = (await watched).flatMap(({ progress }) => progress?.fraction ?? []);
    expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
    client.close();
    const result = await fetch(`${jobwire.api}/jobs/${job.id}/result`);
    expect(await result.text()).toBe(await expectedResult(CONTENT, FILE_NAME, RANGE_MEGABYTES));
    const expected = [...Array<string>(killed).fill('Runtime.ExitError'), 'returned', 'returned'];
    expect(outcomes(before).toSorted()).toEqual(expected);
    expect(await executionsOf(jobwire.runtime, finished)).toEqual(['SUCCEEDED']);
    await expectNothingLeft(processing, jobwire.runtime);
  });

  it('ends its job with a typed error when it is killed again and again', async () => {
    const before = jobwire.reports.length;
    const { job } = await submit();
    let over = false;
    const ended = terminalJob(jobwire.api, job.id).finally(() => {
      over = true;
    });
    const killUntilOver = () => {
      jobwire.runtime.killFunction(PROFILE);
      return over;
    };
    await expect.poll(killUntilOver, { interval: 20, timeout: 60_000 }).toBe(true);
    expect(await ended).toMatchObject({
      status: 'failed',
      error: { code: 'processor-lost', retryable: true },
    });
    const killed = outcomes(before);
    expect(killed.length).toBeGreaterThanOrEqual(3); // one of the ranges thrice, and the other as often as it came to
    expect(new Set(killed)).toEqual(new Set(['Runtime.ExitError']));
    expect((await fetch(`${jobwire.api}/jobs/${job.id}/result`)).status).toBe(404);
    await expectNothingLeft(processing, jobwire.runtime);
    expect(await executionsOf(jobwire.runtime, job)).toEqual(['FAILED']);
  });

  it('stops when its job is cancelled during the Map', async () => {
    const { job } = await submit();
    await untilProfiling();
    expect((await post(`${jobwire.api}/jobs/${job.id}/cancel`, '')).status).toBe(202);
    const finished = await terminalJob(jobwire.api, job.id);
    expect(finished).toMatchObject({ status: 'cancelled' });
    await expectNothingLeft(processing, jobwire.runtime);
    await expectStopped(jobwire.runtime, job);
    expect(await terminalJob(jobwire.api, job.id)).toEqual(finished);
  });

  it('that the end of the runtime broke off ends its job at the next start', async () => {
    const { job } = await submit();
    await untilProfiling();
    jobwire = await jobwire.restart(settings);
    expect(await terminalJob(jobwire.api, job.id)).toMatchObject({
      status: 'failed',
      error: { code: 'processor-lost', retryable: true },
    });
    expect(jobwire.lines).toContainEqual(
      expect.stringMatching(/^execution job_\w+-\w+ is lost: it ran when the runtime ended/),
    );
    await expectNothingLeft(processing, jobwire.runtime);
  });
});
