import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, it, onTestFinished, vi } from 'vitest';
import { replay } from '../../command-line/replay.ts';
import { sampleJob } from '../client/sample-job.ts';

it.each([
  ['a gap of a year', 1, '2027-11-23T12:00:00.000Z'],
  ['the slowest speed', 1e-9, '2026-11-23T12:00:01.000Z'],
])('waits through %s, until it is stopped', async (_, speed, updatedAt) => {
  const folder = await mkdtemp(path.join(tmpdir(), 'jobwire-replay-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = path.join(folder, 'recorded.jsonl');
  const states = [
    sampleJob(1, 'queued', { updatedAt: '2026-11-23T12:00:00.000Z' }),
    sampleJob(2, 'running', { updatedAt }),
  ];
  await writeFile(file, states.map((state) => JSON.stringify(state)).join('\n'));
  const stop = new AbortController();
  const written = vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    // Some turns of the event loop later a wait that overflowed would be over.
    if (String(text).includes('queued')) setTimeout(() => stop.abort(new Error('stopped')), 30);
    return true;
  });
  onTestFinished(() => void written.mockRestore());
  await expect(replay(file, { speed, signal: stop.signal })).rejects.toThrow('stopped');
  expect(written.mock.calls.filter(([text]) => String(text).includes('running'))).toEqual([]);
});
