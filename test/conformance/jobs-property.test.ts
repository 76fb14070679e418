import fc from 'fast-check';
import * as v from 'valibot';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JobsTable } from '../../handlers/aws/jobs-table.ts';
import { ChangeRefusedError, JobNotFoundError } from '../../handlers/errors.ts';
import { MemoryJobs } from '../../handlers/memory/memory-jobs.ts';
import type { JobChange, JobRecord, Jobs } from '../../handlers/ports.ts';
import { FIELD_BYTES, JobSchema, MAXIMUM_JOB_BYTES, TagSchema } from '../../protocol/job.ts';
import { serializedBytes } from '../../protocol/size.ts';
import { isTerminal, mayFollow, STATUSES } from '../../protocol/status.ts';
import { type DynamoDbLocal, startDynamoDbLocal } from '../dynamodb-local.ts';
import { sampleNewJob, secondsLater } from './sample-jobs.ts';

let database: DynamoDbLocal;
let table: JobsTable;
beforeAll(async () => {
  database = await startDynamoDbLocal();
  table = new JobsTable({ client: database.client, ...database.jobs });
});
afterAll(() => database.close());

/** A change as some handler might ask for it, right or wrong; the epoch is filled in when the job is made. */
interface AnyChange {
  readonly change: Omit<JobChange, 'at' | 'epoch'>;
  readonly epoch: 'right' | 'wrong' | 'unnamed';
}

const status = fc.constantFrom(...STATUSES);
const execution = fc.constantFrom('a', 'b');
const claim = execution.map((id) => ({
  to: 'running' as const,
  set: { execution: { id, aliveUntil: secondsLater(60) } },
}));
const change = fc.oneof(
  fc.record({ to: status }),
  claim,
  fc.record({ to: status, execution }),
  fc.record({ to: fc.constant('queued' as const) }),
  fc.record(
    {
      within: fc.subarray([...STATUSES]),
      seq: fc.integer({ min: 1, max: 6 }),
      execution,
      set: fc.record({ message: fc.constantFrom('one', 'two'), stalled: fc.boolean() }, { requiredKeys: [] }),
    },
    { requiredKeys: ['within'] },
  ),
);
const anyChange: fc.Arbitrary<AnyChange> = fc.record({
  change,
  epoch: fc.constantFrom('right', 'right', 'right', 'unnamed', 'wrong'),
});

type Outcome = { readonly changed: JobRecord } | { readonly refused: string; readonly current?: JobRecord };

async function outcomeOf(jobs: Jobs, record: JobRecord, asked: AnyChange, at: string): Promise<Outcome> {
  const { epoch } = record.job;
  const epochs = {
    right: { epoch },
    wrong: { epoch: `${epoch.slice(0, -1)}${epoch.endsWith('0') ? '1' : '0'}` },
    unnamed: {},
  };
  try {
    return { changed: await jobs.change(record.job.id, { ...asked.change, ...epochs[asked.epoch], at }) };
  } catch (error) {
    if (error instanceof ChangeRefusedError) return { refused: error.reason, current: error.current };
    if (error instanceof JobNotFoundError) return { refused: error.name };
    throw error;
  }
}

function expectLegal({ job }: JobRecord): void {
  const [first, ...rest] = job.history;
  expect(first).toMatchObject({ status: 'awaiting-upload', seq: 1 });
  let previous = first;
  for (const entry of rest) {
    if (previous === undefined) throw new Error('the history is empty');
    expect(mayFollow(previous.status, entry.status)).toBe(true);
    expect(entry.seq).toBeGreaterThan(previous.seq);
    previous = entry;
  }
  expect(previous?.status).toBe(job.status);
  expect(job.seq).toBeGreaterThanOrEqual(previous?.seq ?? 0);
  expect(job.finishedAt !== undefined).toBe(isTerminal(job.status));
  expect(v.is(JobSchema, job)).toBe(true);
}

describe('any sequence of changes', () => {
  it('has the same outcomes in memory and on DynamoDB', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyChange, { maxLength: 12 }), async (changes) => {
        const memory = new MemoryJobs();
        const newJob = sampleNewJob();
        const record = await memory.create(newJob);
        expect(await table.create(newJob)).toEqual(record);
        for (const [index, asked] of changes.entries()) {
          const at = secondsLater(index + 1);
          const expected = await outcomeOf(memory, record, asked, at);
          expect(await outcomeOf(table, record, asked, at)).toEqual(expected);
        }
        const left = await memory.read(newJob.id);
        expect(await table.read(newJob.id)).toEqual(left);
        if (left !== undefined) expectLegal(left);
      }),
      { numRuns: 150 },
    );
  });
});

describe('writers that race', () => {
  for (const name of ['memory', 'DynamoDB Local'] as const) {
    it(`never leave an illegal state: ${name}`, async () => {
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.array(anyChange, { minLength: 1, maxLength: 6 }), { minLength: 2, maxLength: 4 }),
          async (writers) => {
            const jobs: Jobs = name === 'memory' ? new MemoryJobs() : table;
            const record = await jobs.create(sampleNewJob());
            const outcomes = await Promise.all(
              writers.map(async (changes) => {
                const own: Outcome[] = [];
                for (const asked of changes) own.push(await outcomeOf(jobs, record, asked, secondsLater(1)));
                return own;
              }),
            );
            const seen = outcomes
              .flat()
              .flatMap((outcome) => ('changed' in outcome ? [outcome.changed] : []));
            for (const state of seen) expectLegal(state);
            const final = await jobs.read(record.job.id);
            if (final === undefined) throw new Error('the job was made');
            expectLegal(final);
            // Every seq was given to exactly one committed state, and none was left out.
            const bySeq = new Map(seen.map((state) => [state.job.seq, state]));
            expect([...bySeq.keys()].toSorted((one, other) => one - other)).toEqual(
              Array.from({ length: final.job.seq - 1 }, (_, index) => index + 2),
            );
            for (const state of seen) expect(bySeq.get(state.job.seq)).toEqual(state);
          },
        ),
        { numRuns: 60 },
      );
    });
  }
});

/** Text that takes as many bytes of JSON as the limit allows, of characters that cost 1 to 6 bytes each. */
function fullText(limit: number): fc.Arbitrary<string> {
  return fc
    .array(fc.constantFrom('a', '"', '\\', '\u0000', '\u001f', 'é', '€', '\u2028', '🚀', '\uffff'), {
      minLength: 1,
      maxLength: 8,
    })
    .map((pattern) => {
      let text = '';
      for (let index = 0; ; index += 1) {
        const next = text + (pattern[index % pattern.length] ?? 'a');
        if (serializedBytes(next) > limit) break;
        text = next;
      }
      return text + 'a'.repeat(limit - serializedBytes(text));
    });
}

describe('a job with every field at its limit', () => {
  const lengthy = fc.record({
    fileName: fullText(FIELD_BYTES.fileName).map((name) => name.replace(/[\p{Cc}/\\]/gu, 'a')),
    tag: fullText(96).map((text) => text.replace(/[\p{Cc}:"\\]/gu, 'a').slice(0, 60)),
    message: fullText(FIELD_BYTES.message),
    step: fullText(FIELD_BYTES['step.name']),
    unit: fullText(FIELD_BYTES['progress.unit']),
    code: fullText(FIELD_BYTES['error.code']),
    title: fullText(FIELD_BYTES['error.title']),
    detail: fullText(FIELD_BYTES['error.detail']),
  });
  const number = 1.2345678901234567e-100;

  it('is stored as it is, and never too large to be sent', async () => {
    await fc.assert(
      fc.asyncProperty(lengthy, async (texts) => {
        const tags: string[] = [];
        for (let index = 0; index < 10; index += 1) {
          const tag = `${index}${texts.tag}`.toWellFormed().replaceAll('\ufffd', 'a');
          if (v.is(TagSchema, tag) && serializedBytes([...tags, tag]) <= FIELD_BYTES.tags) tags.push(tag);
        }
        const newJob = sampleNewJob({
          kind: 'k'.repeat(64),
          tags,
          input: {
            fileName: texts.fileName,
            contentType: `text/${'x'.repeat(FIELD_BYTES.contentType - 7)}`,
            size: Number.MAX_SAFE_INTEGER,
          },
        });
        const set = {
          progress: { done: number, total: number, unit: texts.unit, fraction: number },
          step: { name: texts.step, index: Number.MAX_SAFE_INTEGER, count: Number.MAX_SAFE_INTEGER },
          message: texts.message,
          error: { code: texts.code, title: texts.title, detail: texts.detail, retryable: false },
          result: {
            href: '\u0001'.repeat(128),
            contentType: `text/${'x'.repeat(FIELD_BYTES['result.contentType'] - 7)}`,
            size: Number.MAX_SAFE_INTEGER,
          },
        };
        const memory = new MemoryJobs();
        for (const jobs of [memory, table]) {
          await jobs.create(newJob);
          await jobs.change(newJob.id, { at: secondsLater(1), to: 'queued', set });
          const claimed = { id: 'x', aliveUntil: secondsLater(60) };
          await jobs.change(newJob.id, { at: secondsLater(2), to: 'running', set: { execution: claimed } });
          await jobs.change(newJob.id, {
            at: secondsLater(3),
            within: ['running'],
            set: { ...set, stalled: true },
          });
          await jobs.change(newJob.id, { at: secondsLater(4), to: 'failed', set });
        }
        const stored = await table.read(newJob.id);
        expect(stored?.job).toMatchObject(set);
        expect(stored).toEqual(await memory.read(newJob.id));
        expect(serializedBytes(stored?.job)).toBeLessThanOrEqual(MAXIMUM_JOB_BYTES);
        expect(v.is(JobSchema, stored?.job)).toBe(true);
      }),
      { numRuns: 25 },
    );
  });
});
