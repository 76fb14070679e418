import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { CheckpointFile } from '../../../local/events/checkpoint-file.ts';
import { laneOf } from '../../../local/events/lane.ts';
import { ShardProgress } from '../../../local/events/shard-progress.ts';
import { readyShards } from '../../../local/events/stream-shards.ts';
import { ManualClock } from '../manual-clock.ts';
import { streamRecord } from './stream-records.ts';

describe('shards', () => {
  const shards = [
    { shardId: 'child', parentShardId: 'parent', closed: false },
    { shardId: 'parent', parentShardId: 'trimmed', closed: true },
  ];
  const ready = (started: string[], ended: string[]) =>
    readyShards(shards, new Set(started), new Set(ended)).map(({ shardId }) => shardId);

  test('a parent comes first, also one whose own parent is gone', () => {
    expect(ready([], [])).toEqual(['parent']);
  });

  test('children wait until the parent is worked off', () => {
    expect(ready(['parent'], [])).toEqual([]);
    expect(ready(['parent'], ['parent'])).toEqual(['child']);
    expect(ready(['parent', 'child'], ['parent'])).toEqual([]);
  });
});

test('the checkpoint never passes an open record, in whatever order records are settled', () => {
  fc.assert(
    fc.property(fc.shuffledSubarray([...Array(12).keys()], { minLength: 12 }), (order) => {
      const checkpoints: number[] = [];
      const progress = new ShardProgress((sequenceNumber) => checkpoints.push(Number(sequenceNumber)));
      for (let index = 0; index < 12; index += 1) progress.read(String(index));
      const settled = new Set<number>();
      for (const index of order) {
        settled.add(index);
        progress.settle(String(index));
        const last = checkpoints.at(-1) ?? -1;
        for (let before = 0; before <= last; before += 1) expect(settled).toContain(before);
      }
      expect(checkpoints.at(-1)).toBe(11);
    }),
  );
});

test('an item always has the same lane, and items are spread over the lanes', () => {
  const lanes = Array.from({ length: 200 }, (_, index) => laneOf(streamRecord(index), 10));
  expect(
    Array.from({ length: 200 }, (_, index) => laneOf(streamRecord(index + 1_000, `k${index}`), 10)),
  ).toEqual(lanes);
  expect(new Set(lanes).size).toBe(10);
});

describe('checkpoints', () => {
  function file(): string {
    const directory = mkdtempSync(path.join(tmpdir(), 'jobwire-checkpoints-'));
    onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
    return path.join(directory, 'mapping.json');
  }

  test('are written after a moment, and read again for the same stream only', () => {
    const name = file();
    const clock = new ManualClock();
    const first = new CheckpointFile(name, 'arn:1', clock, () => {});
    first.set('a', { sequenceNumber: '7' });
    clock.advance(1_000);
    const again = new CheckpointFile(name, 'arn:1', clock, () => {});
    expect([first.resumed, again.resumed, again.get('a')]).toEqual([false, true, { sequenceNumber: '7' }]);
    expect(new CheckpointFile(name, 'arn:2', clock, () => {}).resumed).toBe(false);
  });

  test('a broken file is reported and forgotten', () => {
    const name = file();
    writeFileSync(name, '{"streamArn":');
    const lines: string[] = [];
    const checkpoints = new CheckpointFile(name, 'arn:1', new ManualClock(), (line) => lines.push(line));
    expect(checkpoints.resumed).toBe(false);
    expect(lines).toHaveLength(1);
  });
});
