import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, it } from 'vitest';
import { PROJECT } from '../flow/running-jobwire.ts';

it('the package offers every file of the contract', async () => {
  const entry = await readFile(path.join(PROJECT, 'packaging', 'entries', 'protocol.ts'), 'utf8');
  const files = await readdir(path.join(PROJECT, 'protocol'));
  for (const file of files) expect(entry).toContain(`'../../protocol/${file}'`);
});
