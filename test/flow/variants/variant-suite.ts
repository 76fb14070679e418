import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createJobwireClient, type JobwireClient } from '../../../client/client.ts';
import type { Job } from '../../../protocol/job.ts';
import { createJob, post, problemOf, terminalJob, upload } from '../http-calls.ts';
import { csvRows } from '../large-csv.ts';
import { type RunningJobwire, startJobwire } from '../running-jobwire.ts';
import { expectedResult, RANGE_MEGABYTES } from './expected-result.ts';
import { executionsOf, expectNothingLeft, expectStopped, type ProcessingName } from './work-remains.ts';

/** Two ranges; of long rows, since what takes time to profile is values. */
const CONTENT = csvRows(3_000, 'both sensors agreed within the tolerance of the instrument '.repeat(7));

/** Some seconds of work, of which a moment is enough for a cancel. */
const LONG_CONTENT = csvRows(120_000);

const FILE_NAME = 'measurements.csv';
const NO_CSV = new Uint8Array(Array.from({ length: 4096 }, (_, index) => (index * 37) % 256));

/** The steps that a job says it is in, by who processes. */
const STEPS: Readonly<Record<ProcessingName, readonly string[]>> = {
  lambda: ['sniff', 'profile', 'summarize'],
  'step-functions': ['inspect', 'profile', 'merge'],
  'step-functions-efs': ['fetch', 'inspect', 'profile', 'merge'],
};

/**
 * What holds for every valid combination of the settings, whoever tells of uploads, processes and broadcasts: here for
 * those of one way of processing.
 */
export function describeVariants(processing: ProcessingName): void {
  for (const uploadEvents of ['eventbridge', 's3-notifications'] as const) {
    for (const broadcast of ['none', 'iot-core'] as const) {
      describe(`${uploadEvents}, ${processing}, broadcast ${broadcast}`, () => {
        describeVariant({ uploadEvents, processing, broadcast });
      });
    }
  }
}

function describeVariant(settings: {
  readonly uploadEvents: 'eventbridge' | 's3-notifications';
  readonly processing: ProcessingName;
  readonly broadcast: 'none' | 'iot-core';
}): void {
  const { processing } = settings;
  const ways = (['websocket', 'poll', 'iot'] as const).filter(
    (via) => via !== 'iot' || settings.broadcast === 'iot-core',
  );
  let jobwire: RunningJobwire;
  let client: JobwireClient;
  beforeAll(async () => {
    jobwire = await startJobwire({ ...settings, rangeMegabytes: String(RANGE_MEGABYTES) });
    client = createJobwireClient({ api: jobwire.api });
  });
  afterAll(async () => {
    client.close();
    await jobwire.close();
  });

  /** Watches a job by every way that there is; each answers the states that came by it, once the job is over. */
  function watchByAll(id: string, token: string): readonly Promise<readonly Job[]>[] {
    return ways.map(async (via) => {
      const states: Job[] = [];
      for await (const job of client.watchJob(id, { token, via })) states.push(job);
      return states;
    });
  }

  it.each(['put', 'post', 'multipart'] as const)(
    'an upload by %s comes to its result, and every watcher sees it move',
    async (method) => {
      const sent = client.uploadJob(new Blob([CONTENT]), {
        kind: 'csv-profile',
        fileName: FILE_NAME,
        contentType: 'text/csv',
        upload: method,
      });
      const id = await sent.id;
      const watched = watchByAll(id, await sent.token);
      await sent.done;
      const timelines = await Promise.all(watched);
      const finished = await client.read(id);
      expect(finished.status).toBe('succeeded');
      expect(finished.history.map(({ status }) => status)).toEqual([
        'awaiting-upload',
        'queued',
        'running',
        'succeeded',
      ]);
      for (const states of timelines) expectOneTimeline(states, finished, processing);
      const result = await fetch(`${jobwire.api}/jobs/${id}/result`);
      expect(await result.text()).toBe(await expectedResult(CONTENT, FILE_NAME));
      expect(await executionsOf(jobwire.runtime, finished)).toEqual(
        processing === 'lambda' ? [] : ['SUCCEEDED'],
      );
      await expectNothingLeft(processing, jobwire.runtime);
    },
  );

  it('refuses an upload of another type or size, and the job waits on', async () => {
    const created = await createJob(jobwire.api, { size: 100 });
    if (created.upload?.method !== 'PUT') throw new Error('PUT is the default');
    const { url } = created.upload;
    for (const [type, size] of [
      ['text/html', 100],
      ['text/csv', 101],
    ] as const) {
      const body = 'x'.repeat(size);
      expect((await fetch(url, { method: 'PUT', headers: { 'content-type': type }, body })).status).toBe(403);
    }
    const refused = { kind: 'csv-profile', fileName: 'a.csv', contentType: 'text/csv', size: 0 };
    expect(await problemOf(await post(`${jobwire.api}/jobs`, refused))).toMatchObject({
      code: 'bad-request',
    });
    expect(await (await fetch(`${jobwire.api}/jobs/${created.job.id}`)).json()).toEqual(created.job);
  });

  it('fails a job whose file is no CSV with the typed error', async () => {
    const created = await createJob(jobwire.api, { size: NO_CSV.byteLength });
    const watched = watchByAll(created.job.id, created.token);
    expect((await upload(created, NO_CSV)).ok).toBe(true);
    const timelines = await Promise.all(watched);
    const finished = await client.read(created.job.id);
    expect(finished).toMatchObject({ status: 'failed', error: { code: 'not-csv', retryable: false } });
    for (const states of timelines) expect(states.at(-1)).toEqual(finished);
    expect((await fetch(`${jobwire.api}/jobs/${created.job.id}/result`)).status).toBe(404);
    await expectNothingLeft(processing, jobwire.runtime);
  });

  it('stops a job that is cancelled while it works', async () => {
    const created = await createJob(jobwire.api, { size: LONG_CONTENT.byteLength });
    const { id } = created.job;
    const watched = watchByAll(id, created.token);
    expect((await upload(created, LONG_CONTENT)).ok).toBe(true);
    const status = async () => (await client.read(id)).status;
    await expect.poll(status, { interval: 20, timeout: 60_000 }).toBe('running');
    const authorization = `Bearer ${created.token}`;
    expect((await post(`${jobwire.api}/jobs/${id}/cancel`, '', { authorization })).status).toBe(202);
    const timelines = await Promise.all(watched);
    const finished = await client.read(id);
    expect(finished.status).toBe('cancelled');
    for (const states of timelines) expect(states.at(-1)).toEqual(finished);
    expect((await fetch(`${jobwire.api}/jobs/${id}/result`)).status).toBe(404);
    await expectNothingLeft(processing, jobwire.runtime);
    if (processing !== 'lambda') await expectStopped(jobwire.runtime, finished);
    expect(await client.read(id)).toEqual(finished);
  });

  it('processes a job once, however often it is told of its upload', async () => {
    const content = 'city,people\nOslo,709037\nBergen,289330\n';
    const created = await createJob(jobwire.api, { size: content.length });
    await Promise.all([upload(created, content), upload(created, content), upload(created, content)]);
    const finished = await terminalJob(jobwire.api, created.job.id);
    expect(finished).toMatchObject({ status: 'succeeded' });
    await upload(created, content);
    const told = () => jobwire.lines.join('\n');
    const late = `after its job has moved on {"job":"${created.job.id}","status":"succeeded"}`;
    await expect.poll(told, { timeout: 60_000 }).toContain(late);
    expect(await terminalJob(jobwire.api, created.job.id)).toEqual(finished);
    expect(finished.history.filter(({ status }) => status === 'running')).toHaveLength(1);
    if (processing !== 'lambda') expect(await executionsOf(jobwire.runtime, finished)).toEqual(['SUCCEEDED']);
    await expectNothingLeft(processing, jobwire.runtime);
  });
}

/** Only newer states, no fraction that goes back, steps in their order, and at the end what the database has. */
function expectOneTimeline(states: readonly Job[], finished: Job, processing: ProcessingName): void {
  const seqs = states.map(({ seq }) => seq);
  expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
  expect(states.at(-1)).toEqual(finished);
  const fractions = states.flatMap(({ progress }) => progress?.fraction ?? []);
  expect(fractions).toEqual([...fractions].sort((one, other) => one - other));
  expect(finished.progress?.fraction).toBe(1);
  const running = states.filter(({ status }) => status === 'running');
  const steps = running.flatMap(({ step }) =>
    step === undefined ? [] : STEPS[processing].indexOf(step.name),
  );
  expect(steps).toEqual([...steps].sort((one, other) => one - other));
  expect(steps).not.toContain(-1);
}
