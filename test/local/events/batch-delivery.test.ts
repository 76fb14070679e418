import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type DeliverySettings, deliverBatch } from '../../../local/events/batch-delivery.ts';
import { type DiscardedBatch, destinationPayload } from '../../../local/events/discarded-batch.ts';
import { ImpatientClock } from './impatient-clock.ts';
import { ScriptedFunction, throttled } from './scripted-function.ts';
import { indexesOf, reporting, streamRecord } from './stream-records.ts';

interface Delivery {
  readonly batches: number[][];
  readonly settled: number[];
  readonly discarded: DiscardedBatch[];
  readonly clock: ImpatientClock;
}

async function deliver(
  count: number,
  answer: (indexes: number[], call: number) => unknown,
  settings: Partial<DeliverySettings> = {},
  records = Array.from({ length: count }, (_, index) => streamRecord(index + 1)),
): Promise<Delivery> {
  const target = new ScriptedFunction((event, call) => answer(indexesOf(event), call));
  const clock = new ImpatientClock();
  const settled: number[] = [];
  const discarded: DiscardedBatch[] = [];
  await deliverBatch(records, {
    target,
    clock,
    reportBatchItemFailures: true,
    bisectBatchOnFunctionError: false,
    maximumRetryAttempts: 3,
    maximumRecordAgeInSeconds: -1,
    onSettled: ({ sequenceNumber }) => settled.push(Number(sequenceNumber)),
    onDiscarded: async (batch) => discarded.push(batch) > 0,
    log: () => {},
    signal: new AbortController().signal,
    ...settings,
  });
  return { batches: target.events.map(indexesOf), settled, discarded, clock };
}

function failing(text = 'no'): never {
  throw new Error(text);
}

describe('batch responses', () => {
  test.each<[string, unknown]>([
    ['an empty list', []],
    ['null', null],
    ['nothing', undefined],
    ['an empty object', {}],
    ['an empty list of failures', { batchItemFailures: [] }],
    ['null failures', { batchItemFailures: null }],
  ])('%s is a success', async (_, payload) => {
    const { batches, settled } = await deliver(2, () => payload);
    expect(batches).toEqual([[1, 2]]);
    expect(settled).toEqual([1, 2]);
  });

  test.each<[string, unknown]>([
    ['an unknown identifier', { batchItemFailures: [{ itemIdentifier: '9' }] }],
    ['an identifier that is a number', { batchItemFailures: [{ itemIdentifier: 123 }] }],
    ['an empty identifier', { batchItemFailures: [{ itemIdentifier: '' }] }],
    ['a null identifier', { batchItemFailures: [{ itemIdentifier: null }] }],
    ['a wrong key', { batchItemFailures: [{ foo: 'x' }] }],
    ['a failure that is null', { batchItemFailures: [null] }],
    ['no list', { batchItemFailures: 'x' }],
  ])('%s fails the whole batch', async (_, payload) => {
    const { batches, discarded } = await deliver(2, () => payload, { maximumRetryAttempts: 1 });
    expect(batches).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(discarded.map(({ records }) => records.length)).toEqual([2]);
  });

  test('without ReportBatchItemFailures the response means nothing', async () => {
    const { batches, settled } = await deliver(2, () => reporting(1), { reportBatchItemFailures: false });
    expect(batches).toEqual([[1, 2]]);
    expect(settled).toEqual([1, 2]);
  });

  test('the lowest failure is the checkpoint; it and all after it come again', async () => {
    const { batches, settled, discarded } = await deliver(4, (_, call) =>
      call === 1 ? reporting(4, 2) : null,
    );
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [2, 3, 4],
    ]);
    expect(settled).toEqual([1, 2, 3, 4]);
    expect(discarded).toEqual([]);
  });

  test('as AWS was observed: batch of 3, three retries, the last record always fails', async () => {
    const { batches, discarded, clock } = await deliver(3, (indexes) =>
      indexes.includes(3) ? reporting(3) : null,
    );
    expect(batches).toEqual([[1, 2, 3], [3], [3], [3]]);
    const [batch] = discarded;
    if (batch === undefined) throw new Error('Nothing was discarded');
    const mapping = { functionArn: 'arn:function', streamArn: 'arn:stream' };
    expect(destinationPayload(batch, mapping, clock.now())).toEqual({
      requestContext: {
        requestId: 'request-4',
        functionArn: 'arn:function',
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 4,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: null },
      version: '1.0',
      timestamp: new Date(clock.now()).toISOString(),
      DDBStreamBatchInfo: {
        shardId: 'shardId-1',
        startSequenceNumber: '000000000000000000003',
        endSequenceNumber: '000000000000000000003',
        approximateArrivalOfFirstRecord: '1970-01-01T00:00:00Z',
        approximateArrivalOfLastRecord: '1970-01-01T00:00:00Z',
        batchSize: 1,
        streamArn: 'arn:stream',
      },
    });
  });
});

describe('function errors', () => {
  test('the whole batch is retried, then given up as a whole', async () => {
    const { batches, settled, discarded } = await deliver(2, () => failing(), { maximumRetryAttempts: 1 });
    expect(batches).toEqual([
      [1, 2],
      [1, 2],
    ]);
    expect(settled).toEqual([1, 2]);
    expect(discarded).toMatchObject([
      { condition: 'RetryAttemptsExhausted', invokeCount: 2, functionError: true },
    ]);
  });

  test('no retry when none is allowed', async () => {
    const { batches } = await deliver(1, () => failing(), { maximumRetryAttempts: 0 });
    expect(batches).toHaveLength(1);
  });

  test('without a limit it is retried until it succeeds, with growing pauses', async () => {
    const { batches, discarded, clock } = await deliver(1, (_, call) => (call < 30 ? failing() : null), {
      maximumRetryAttempts: -1,
    });
    expect(batches).toHaveLength(30);
    expect(discarded).toEqual([]);
    // 100 + 200 + … + 6,400 ms, then 10 s each.
    expect(clock.now() - Date.UTC(2026, 10, 23, 12, 0, 0)).toBe(12_700 + 22 * 10_000);
  });

  test('bisecting isolates the record that makes it throw, and splits do not count', async () => {
    const poison = (indexes: number[]) => (indexes.includes(3) ? failing() : null);
    const { batches, discarded, settled } = await deliver(4, poison, {
      bisectBatchOnFunctionError: true,
      maximumRetryAttempts: 1,
    });
    expect(batches).toEqual([[1, 2, 3, 4], [1, 2], [3, 4], [3], [3], [4]]);
    expect(
      discarded.map(({ records }) => records.map(({ sequenceNumber }) => Number(sequenceNumber))),
    ).toEqual([[3]]);
    expect(settled).toEqual([1, 2, 3, 4]);
  });

  test('bisecting with a partial response splits at the reported record', async () => {
    const { batches, discarded } = await deliver(
      4,
      (indexes) => (indexes.includes(3) ? reporting(3) : null),
      {
        bisectBatchOnFunctionError: true,
        maximumRetryAttempts: 1,
      },
    );
    expect(batches).toEqual([
      [1, 2, 3, 4],
      [3, 4],
      [3, 4],
    ]);
    expect(discarded.map(({ records }) => records.length)).toEqual([2]);
  });

  test('throttles are retried without counting', async () => {
    const { batches, discarded } = await deliver(
      1,
      (_, call) => {
        if (call < 10) throw throttled();
        return null;
      },
      { maximumRetryAttempts: 0 },
    );
    expect(batches).toHaveLength(10);
    expect(discarded).toEqual([]);
  });

  test('records that are too old are given up, younger ones go on', async () => {
    const now = new ImpatientClock().now();
    const records = [streamRecord(1, 'a', now - 61_000), streamRecord(2, 'b', now - 59_000)];
    const { batches, discarded } = await deliver(2, () => null, { maximumRecordAgeInSeconds: 60 }, records);
    expect(batches).toEqual([[2]]);
    expect(discarded).toMatchObject([{ condition: 'RecordAgeExceeded', invokeCount: 0 }]);
  });

  test('a mapping that closes leaves what is not settled', async () => {
    const closing = new AbortController();
    const { batches, settled, discarded } = await deliver(
      2,
      () => {
        closing.abort();
        return reporting(2);
      },
      { signal: closing.signal, maximumRetryAttempts: -1 },
    );
    expect(batches).toEqual([[1, 2]]);
    expect(settled).toEqual([1]);
    expect(discarded).toEqual([]);
  });
});

test('every record is delivered or discarded, once; no item is overtaken by its own later record', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({
        keys: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 12 }),
        // How often each record fails before it succeeds; 9 is for ever.
        failures: fc.array(fc.constantFrom<number>(0, 0, 0, 1, 2, 9), { minLength: 12, maxLength: 12 }),
        reportBatchItemFailures: fc.boolean(),
        bisectBatchOnFunctionError: fc.boolean(),
        maximumRetryAttempts: fc.integer({ min: 0, max: 4 }),
        refusals: fc.integer({ min: 0, max: 3 }),
      }),
      async ({ keys, failures, refusals, ...settings }) => {
        const left = [...failures];
        let refusalsLeft = refusals;
        const delivered: number[] = [];
        const records = keys.map((key, index) => streamRecord(index + 1, key));
        const { settled, discarded } = await deliver(
          records.length,
          (indexes) => {
            if (refusalsLeft > 0) {
              refusalsLeft -= 1;
              throw throttled();
            }
            for (const index of indexes) {
              const remaining = left[index - 1] ?? 0;
              if (remaining === 0) continue;
              left[index - 1] = remaining === 9 ? 9 : remaining - 1;
              if (!settings.reportBatchItemFailures) return failing();
              delivered.push(...indexes.slice(0, indexes.indexOf(index)));
              return reporting(index);
            }
            delivered.push(...indexes);
            return null;
          },
          settings,
          records,
        );
        const given = discarded.flatMap((batch) =>
          batch.records.map(({ sequenceNumber }) => Number(sequenceNumber)),
        );
        const all = records.map((_, index) => index + 1);
        // Nothing is lost, nothing is both, everything is settled once and in order.
        expect([...delivered, ...given].sort((a, b) => a - b)).toEqual(all);
        expect(settled).toEqual(all);
        expect(delivered).toEqual(delivered.toSorted((a, b) => a - b));
        for (const { condition } of discarded) expect(condition).toBe('RetryAttemptsExhausted');
      },
    ),
    { numRuns: 300 },
  );
});
