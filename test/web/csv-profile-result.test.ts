import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import { csvProfile } from '../../handlers/process/csv-profile/csv-profile.ts';
import { InvalidError } from '../../protocol/invalid.ts';
import { readCsvProfile } from '../../web/csv-profile-result.ts';

it('reads what the processor writes, and nothing else', async () => {
  const text = 'id,name,weight\n1,Ann,1.5\n2,"Bob ""B"" B",\n3,Ann,2.5\n4,too,many,fields\n';
  const { body } = await csvProfile.process({
    body: Readable.from([Buffer.from(text)]),
    size: text.length,
    fileName: 'a.csv',
    contentType: 'text/csv',
    report: () => {},
    signal: new AbortController().signal,
  });
  const profile = readCsvProfile(JSON.parse(String(body)));
  expect(profile).toMatchObject({ rows: 3, malformed: { count: 1 } });
  expect(profile.columns.map(({ name, type, empty }) => [name, type, empty])).toEqual([
    ['id', 'integer', 0],
    ['name', 'text', 0],
    ['weight', 'number', 1],
  ]);
  for (const other of [null, {}, { ...profile, format: 'v2' }, { ...profile, columns: [{ name: 1 }] }]) {
    expect(() => readCsvProfile(other)).toThrow(InvalidError);
  }
});
