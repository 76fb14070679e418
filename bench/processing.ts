import { openAsBlob } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createJobwireClient } from '../client/client.ts';
import type { Job } from '../protocol/job.ts';
import { writeCsv } from './csv-file.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import { type LocalRuntime, startLocalRuntime } from './local-runtime.ts';
import { type Figure, type Measure, type MeasureSettings, requireInvariant } from './measure.ts';
import type { RuntimeWork } from './runtime-process.ts';

/** The ways of processing, as the setting `processing` names them. */
export const WAYS = ['lambda', 'step-functions', 'step-functions-efs'] as const;
type Way = (typeof WAYS)[number];

const FULL_BYTES = 1_000_000_000;
const QUICK_BYTES = 20_000;

/** The steps of the workflow, by the names of their constructs (infrastructure/workflow.ts). */
const STEPS = ['Begin', 'Fetch', 'Inspect', 'Profile', 'Merge'] as const;

/** States that are no function: the choice behind `Begin`, and the `Map` around the ranges (workflow-definition.ts). */
const STATES_WITHOUT_FUNCTION = 2;

/** The last step removes files after the job has ended, and is counted when it is done. */
const LOOK_AGAIN_MS = 50;

/** What one way took for the file. */
interface Processed {
  readonly result: string;
  /** From the end of the upload to the result. */
  readonly seconds: number;
  /** Of the object, and their bytes. */
  readonly downloads: number;
  readonly bytes: number;
  /** Requests to S3 for what steps hand on (the plan, a profile a range), those that remove it included. */
  readonly betweenSteps: number;
  /** Runs of each step; undefined for the one function. */
  readonly steps: Readonly<Record<(typeof STEPS)[number], number>> | undefined;
  /** Invocations of functions that work on the file, and how long they took together. */
  readonly invocations: number;
  readonly functionSeconds: number;
}

/**
 * One file, uploaded and profiled by each way of processing, on a local runtime of its own. Requests are counted where
 * the local S3 answers them. Times are of this machine, on whose cores the ranges of a workflow compete: on Lambda each
 * has its own. What is counted is the same there.
 */
export const processing: Measure = {
  name: 'processing',
  summary:
    'a file of 1 GB by one function, by a workflow, and by one with a shared file system: downloads, time',
  async run(settings) {
    const folder = await makeTemporaryFolder();
    try {
      const file = path.join(folder.path, 'measurements.csv');
      settings.log('writes the file');
      await writeCsv(file, settings.quick ? QUICK_BYTES : FULL_BYTES);
      const content = await openAsBlob(file, { type: 'text/csv' });
      const processed = new Map<Way, Processed>();
      const process = async (way: Way) => {
        settings.signal.throwIfAborted();
        processed.set(way, await processBy(way, content, settings));
      };
      // Of tiny loads nobody reads the time.
      if (settings.quick) await Promise.all(WAYS.map(process));
      else for (const way of WAYS) await process(way);
      return outcomeOf(processed, content.size);
    } finally {
      await folder.remove();
    }
  },
};

async function processBy(
  way: Way,
  content: Blob,
  { log: tell, signal }: Pick<MeasureSettings, 'log' | 'signal'>,
): Promise<Processed> {
  const log = (line: string) => tell(`${way}: ${line}`);
  log('starts the local runtime');
  const runtime = await startLocalRuntime(way === 'lambda' ? {} : { processing: way });
  try {
    await runtime.takeWork();
    const client = createJobwireClient({ api: runtime.api });
    log('uploads');
    const upload = client.uploadJob(content, {
      kind: 'csv-profile',
      fileName: 'measurements.csv',
      contentType: 'text/csv',
      signal,
    });
    await upload.done;
    log('waits for the result');
    const watch = await upload.watch({ signal });
    const job = await watch.finished();
    requireInvariant(job.status === 'succeeded', `${way} ended as ${job.status}: ${job.error?.title ?? ''}`);
    const result = await (await fetch(`${runtime.api}/jobs/${job.id}/result`)).text();
    return { ...countOf(way, job, await workOf(way, runtime)), result };
  } finally {
    await runtime.close();
  }
}

/** What was done, once the last of it is. */
async function workOf(way: Way, runtime: LocalRuntime): Promise<RuntimeWork> {
  const last = way === 'lambda' ? isStep('Processing') : isStep('WorkflowMerge');
  let done = await runtime.takeWork();
  while (!done.invocations.some(last)) {
    await delay(LOOK_AGAIN_MS);
    const more = await runtime.takeWork();
    done = {
      storage: [...done.storage, ...more.storage],
      invocations: [...done.invocations, ...more.invocations],
    };
  }
  return done;
}

/** Functions are called after their constructs. */
function isStep(construct: string): (invocation: { readonly functionName: string }) => boolean {
  return ({ functionName }) => functionName.includes(`-${construct}`);
}

function countOf(way: Way, job: Job, { storage, invocations }: RuntimeWork): Omit<Processed, 'result'> {
  const at = (status: Job['status']) => {
    const found = job.history.find((entry) => entry.status === status);
    requireInvariant(found !== undefined, `${way} has no time at which the job was ${status}`);
    return Date.parse(found.at);
  };
  const downloads = storage.filter(({ kind, bucket, key }) => {
    return kind === 'get' && bucket.includes('uploads') && key.includes(job.id);
  });
  const working = invocations.filter(isStep(way === 'lambda' ? 'Processing' : 'Workflow'));
  const runs = STEPS.map((step) => [step, working.filter(isStep(`Workflow${step}`)).length] as const);
  return {
    seconds: (at('succeeded') - at('queued')) / 1_000,
    downloads: downloads.length,
    bytes: downloads.reduce((sum, { bytes }) => sum + bytes, 0),
    betweenSteps: storage.filter(({ bucket }) => bucket.includes('workspace')).length,
    // An entry a step.
    steps: way === 'lambda' ? undefined : (Object.fromEntries(runs) as NonNullable<Processed['steps']>),
    invocations: working.length,
    functionSeconds: working.reduce((sum, { milliseconds }) => sum + milliseconds, 0) / 1_000,
  };
}

function outcomeOf(
  processed: ReadonlyMap<Way, Processed>,
  size: number,
): Awaited<ReturnType<Measure['run']>> {
  const of = (way: Way): Processed => {
    const found = processed.get(way);
    requireInvariant(found !== undefined, `${way} was not measured`);
    return found;
  };
  const [lambda, workflow, shared] = [of('lambda'), of('step-functions'), of('step-functions-efs')];
  for (const [way, { result }] of processed) {
    requireInvariant(result === lambda.result, `The result of ${way} is another one than that of lambda`);
  }
  requireDownloads(lambda, workflow, shared, size);
  const figures = WAYS.flatMap((way, index): Figure[] => {
    const each = of(way);
    // Beside the way that it adds something to.
    const other = WAYS[index - 1];
    const figure = (name: string, unit: string, read: (one: Processed) => number): Figure => {
      const value = read(each);
      const row = { name: `${way}: ${name}`, unit, value };
      if (other === undefined) return row;
      const theirs = read(of(other));
      return {
        ...row,
        baseline: { name: other, value: theirs },
        ...(theirs > 0 && { ratio: value / theirs }),
      };
    };
    return [
      figure('downloads of the object', '', (one) => one.downloads),
      figure('moved from S3', 'MB', (one) => one.bytes / 1e6),
      figure('time to result', 's', (one) => one.seconds),
      figure('time of all functions together', 's', (one) => one.functionSeconds),
      figure('invocations', '', (one) => one.invocations),
      figure('requests to S3 between steps', '', (one) => one.betweenSteps),
      figure('state transitions', '', transitionsOf),
    ];
  });
  return {
    figures: [{ name: 'size of the file', unit: 'MB', value: size / 1e6 }, ...figures],
    ratios: {
      downloadsWithSharedFiles: shared.downloads,
      bytesWorkflowToFile: workflow.bytes / size,
      timeWorkflowToLambda: workflow.seconds / lambda.seconds,
      timeSharedFilesToLambda: shared.seconds / lambda.seconds,
    },
  };
}

/** Each state that was entered, and the end. */
function transitionsOf({ steps }: Processed): number {
  if (steps === undefined) return 0;
  return Object.values(steps).reduce((sum, runs) => sum + runs, STATES_WITHOUT_FUNCTION + 1);
}

/** Once to the shared file system; and without it once a step, the ranges of one step being a part each. */
function requireDownloads(lambda: Processed, workflow: Processed, shared: Processed, size: number): void {
  requireInvariant(
    lambda.downloads === 1 && lambda.bytes === size,
    `lambda fetched the object ${lambda.downloads} times`,
  );
  requireInvariant(
    shared.downloads === 1 && shared.bytes === size,
    `step-functions-efs fetched the object ${shared.downloads} times, ${shared.bytes} bytes of ${size}`,
  );
  const { Inspect: inspected = 0, Profile: profiled = 0 } = workflow.steps ?? {};
  requireInvariant(
    inspected === 1 && profiled > 0 && workflow.downloads === inspected + profiled,
    `step-functions ran ${inspected + profiled} steps that read, and fetched ${workflow.downloads} times`,
  );
  requireInvariant(
    workflow.bytes === 2 * size,
    `step-functions moved ${workflow.bytes} bytes of a file of ${size} in two steps`,
  );
}
