import { expect, test } from 'vitest';
import type { Endpoints } from '../../local/state-directory.ts';
import { welcome } from '../../local/welcome.ts';

const endpoints = {
  dashboard: 'http://127.0.0.1:1',
  api: 'http://127.0.0.1:2',
  socket: 'ws://127.0.0.1:3',
} as Endpoints; // what the text says, of all that there is

test('every line that takes the ticket of the job says how long that is good', () => {
  const lines = welcome({ ...endpoints, broker: 'ws://127.0.0.1:4/mqtt' }, 1_000).split('\n');
  const watching = lines.flatMap((line, index) => (/ticket/.test(line) && /JOB/.test(line) ? [index] : []));
  expect(watching).toHaveLength(2);
  for (const index of watching) expect(lines[index - 1]).toContain('60 seconds');
});

test('there is no line for a broker where there is none', () => {
  expect(welcome(endpoints, 1_000)).not.toMatch(/mqtt/i);
});
