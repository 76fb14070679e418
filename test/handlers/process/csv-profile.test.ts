import { describe, expect, test } from 'vitest';
import { ProcessingError } from '../../../handlers/process/processor.ts';
import type { Report } from '../../../handlers/process/report.ts';
import { column, profileOf } from './profile-of.ts';

async function failureOf(chunks: readonly (string | Uint8Array)[]): Promise<ProcessingError> {
  const error: unknown = await profileOf(chunks).then(
    () => undefined,
    (failure: unknown) => failure,
  );
  if (!(error instanceof ProcessingError)) throw new Error(`no ProcessingError: ${String(error)}`);
  return error;
}

function lines(count: number, line: (index: number) => string): string {
  return Array.from({ length: count }, (_, index) => `${line(index)}\n`).join('');
}

describe('how a file is written', () => {
  test.each([
    [',', 'a,b,c\n1,2,3\n'],
    [';', 'a;b;c\n1,5;2;3\n'],
    ['\t', 'a\tb\n1\t"x, y"\n2\tz, z\n'],
    ['|', 'a|b\n1|2\n'],
  ])('the delimiter %j is found out', async (delimiter, text) => {
    expect((await profileOf([text])).file.delimiter).toBe(delimiter);
  });

  test('a comma within texts does not win over the semicolon that is in every row', async () => {
    const profile = await profileOf(['name;note\nA;one, two\nB;three\nC;four, five, six\n']);
    expect(profile.file.delimiter).toBe(';');
    expect(profile.rows).toBe(3);
  });

  test('a byte order mark is no part of the first name', async () => {
    const profile = await profileOf(['\ufeffname,age\nAnn,3\n']);
    expect(profile.file.byteOrderMark).toBe(true);
    expect(profile.columns[0]?.name).toBe('name');
  });

  test.each([
    ['name,age\nAnn,3\n', true],
    ['Ann,3\nBob,4\n', false],
    ['name,city\nAnn,Rome\n', true],
    ['1,2\n3,4\n', false],
    ['country,1990\nNorway,true\n', false],
    ['day,n/a\n2020-01-01,5\n', true],
  ])('%j has a header: %s', async (text, header) => {
    const profile = await profileOf([text]);
    expect(profile.file.header).toBe(header);
    expect(profile.rows).toBe(text.trim().split('\n').length - (header ? 1 : 0));
  });

  test('names that are missing or repeated are made up and numbered', async () => {
    const profile = await profileOf(['name,,name\nx,1,y\n']);
    expect(profile.columns.map(({ name }) => name)).toEqual(['name', 'column 2', 'name (2)']);
  });

  test.each(['\n', '\r\n', '\r'])('rows may end in %j', async (end) => {
    const profile = await profileOf([['a,b', '1,"x"', '2,y', ''].join(end)]);
    expect(profile).toMatchObject({ rows: 2, malformed: { count: 0 } });
    expect(column(profile, 'b').frequent.values.map(({ value }) => value)).toEqual(['x', 'y']);
  });

  test('quoted values hold delimiters, line ends and quotes', async () => {
    const profile = await profileOf(['a,b\n1,"x, ""y""\nz"\n']);
    expect(column(profile, 'b').frequent.values[0]?.value).toBe('x, "y"\nz');
  });

  test('a header alone is a table without rows', async () => {
    expect(await profileOf(['a,b\n'])).toMatchObject({
      rows: 0,
      columns: [{ type: 'empty' }, { type: 'empty' }],
    });
  });
});

describe('types', () => {
  test.each([
    [['1', '-2', '+3'], 'integer'],
    [['1', '2.5', '-3e4', '.5'], 'number'],
    [['true', 'FALSE'], 'boolean'],
    [['2020-01-31', '2020/02/01'], 'date'],
    [['2020-01-31', '2020-01-31T10:00:00Z', '2020-01-31 10:00'], 'datetime'],
    [['1', 'x'], 'text'],
    [['007', '1'], 'text'],
    [['2020-13-01'], 'text'],
    [['1e999'], 'text'],
    [['', ' '], 'empty'],
    [['1', 'true'], 'text'],
  ])('%j is %s', async (values, type) => {
    const profile = await profileOf([`name,value\n${values.map((value) => `x,${value}\n`).join('')}`]);
    expect(column(profile, 'value').type).toBe(type);
  });

  test('date-times are ordered by time, not by text', async () => {
    const profile = await profileOf([
      'at,x\n2020-01-01T10:00:00+05:00,a\n2020-01-01T06:00:00Z,b\n2020-01-01 05:30,c\n',
    ]);
    expect(column(profile, 'at')).toMatchObject({
      min: '2020-01-01T10:00:00+05:00',
      max: '2020-01-01T06:00:00Z',
    });
  });
});

describe('malformed rows', () => {
  test('are counted, sampled with their line, and kept out of the figures', async () => {
    const profile = await profileOf([
      `a,b\n1,"two\nlines"\n\n3\n${'9,'.repeat(150)}\n4,"x"y\n5,6\n${lines(20, (index) => `${index},z`)}`,
    ]);
    expect(profile.rows).toBe(22);
    expect(profile.blankLines).toBe(1);
    expect(profile.malformed.count).toBe(3);
    expect(profile.malformed.samples).toMatchObject([
      { line: 5, reason: 'field-count', excerpt: '3' },
      { line: 6, reason: 'field-count' },
      { line: 7, reason: 'quotes' },
    ]);
    expect(profile.malformed.samples.every(({ excerpt }) => excerpt.length <= 200)).toBe(true);
  });

  test('ten samples are enough', async () => {
    const profile = await profileOf([`a,b\n${lines(100, () => '1,2')}${lines(50, () => '1,2,3')}`]);
    expect(profile.malformed.count).toBe(50);
    expect(profile.malformed.samples).toHaveLength(10);
  });

  test('a stray quote within a value that is not quoted is a character', async () => {
    const profile = await profileOf(['item,price\n5" pipe,3\n']);
    expect(profile).toMatchObject({ rows: 1, malformed: { count: 0 } });
  });

  test('nearly all of them: the file is not CSV', async () => {
    const text = `a,b\n${lines(500, (index) => (index < 200 ? '1,2' : '1,2,3'))}`;
    expect((await profileOf([text])).malformed.count).toBe(300);
    const worse = `a,b\n${lines(30, () => '1,2')}${lines(400, () => 'just some words')}`;
    expect(await failureOf([worse])).toMatchObject({ code: 'not-csv', retryable: false });
  });

  test('nearly all of them for their quotes: broken-quotes, and nobody waits for the end', async () => {
    const bad = lines(30_000, (index) => `"a"${index},"b"`);
    const error = await failureOf(['a,b\n', ...Array.from({ length: 40 }, () => bad)]);
    expect(error.code).toBe('broken-quotes');
    expect(error.detail).toContain('of 10000 rows');
  });

  test('text behind a closing quote costs one row, even where no other quote follows', async () => {
    const profile = await profileOf([`a,b\n1,"x"y\n${lines(200_000, (index) => `${index},plain`)}`]);
    expect(profile).toMatchObject({ rows: 200_000, malformed: { count: 1 } });
    expect(profile.malformed.samples).toEqual([{ line: 2, reason: 'quotes', excerpt: '1,"x"y' }]);
  });

  test('broken quotes throughout are given up soon', async () => {
    const error = await failureOf([`a,b\n1,2\n${lines(500_000, () => '"a"b')}`]);
    expect(error.code).toBe('broken-quotes');
  });
});

describe('what is not CSV fails, and says what it is', () => {
  test.each([
    ['a PNG image', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0), 'PNG'],
    ['a spreadsheet', Uint8Array.of(0x50, 0x4b, 3, 4, 20, 0, 6, 0, 8, 0), 'spreadsheet'],
    ['UTF-16', Uint8Array.of(0xff, 0xfe, 0x61, 0, 0x2c, 0, 0x62, 0), 'UTF-8'],
    ['NUL bytes', Buffer.from('a,b\n1,\u0000\n'), 'Byte 6'],
    ['Latin-1', Buffer.from('name,city\nJosé,São Paulo\n', 'latin1'), 'UTF-8'],
    ['HTML', '<!DOCTYPE html><html><body>a,b</body></html>', 'HTML'],
    ['JSON', '{"a": 1, "b": [1, 2]}', 'JSON'],
    ['nothing', '', 'no row'],
    ['blank lines', ' \n\n\n', 'no row'],
  ])('%s', async (_, content, detail) => {
    const error = await failureOf([content]);
    expect(error).toMatchObject({ code: 'not-csv', retryable: false });
    expect(error.detail).toContain(detail);
  });

  test('a character that is cut by the end of the file', async () => {
    expect((await failureOf(['a,b\n1,', Uint8Array.of(0xe2, 0x82)])).code).toBe('not-csv');
  });

  test('a quote that is never closed names its line', async () => {
    const error = await failureOf([`a,b\n1,2\n3,"open\n${lines(1000, () => '5,6')}`]);
    expect(error.code).toBe('broken-quotes');
    expect(error.detail).toContain('line 3');
  });

  test('a quote that swallows megabytes is given up long before the end', async () => {
    const reports: Report[] = [];
    const chunk = lines(1000, () => 'swallowed, swallowed');
    const failure = profileOf([`a,b\n1,"open\n`, ...Array.from({ length: 500 }, () => chunk)], reports);
    await expect(failure).rejects.toMatchObject({ code: 'broken-quotes' });
    expect(Math.max(...reports.map(({ progress }) => progress?.done ?? 0))).toBeLessThan(3_000_000);
  });

  test('a row without end', async () => {
    const error = await failureOf(['a,b\n', ...Array.from({ length: 100 }, () => 'x'.repeat(50_000))]);
    expect(error).toMatchObject({ code: 'not-csv' });
    expect(error.detail).toContain('line 2');
  });

  test('more columns than can be profiled', async () => {
    expect((await failureOf([`${'a,'.repeat(2000)}a\n`])).code).toBe('too-many-columns');
    expect((await profileOf([`${'a,'.repeat(1999)}a\n`])).columns).toHaveLength(2000);
  });
});

describe('a large file', () => {
  const rows = 60_000;
  const chunks = Array.from({ length: 60 }, (_, part) =>
    lines(1000, (index) => {
      const row = part * 1000 + index;
      const hot = row % 4 === 0 ? 'hot' : row % 5 === 0 ? 'warm' : `cold ${row}`;
      return `${row},${hot},same`;
    }),
  );

  test('estimates within the documented error, and finds what is frequent', async () => {
    const profile = await profileOf(['id,temperature,constant\n', ...chunks]);
    const id = column(profile, 'id');
    expect(id.distinct.exact).toBe(false);
    expect(Math.abs(id.distinct.value / rows - 1)).toBeLessThan(0.03);
    expect(id).toMatchObject({ type: 'integer', min: 0, max: rows - 1, mean: (rows - 1) / 2 });
    expect(id.frequent).toEqual({ exact: false, values: [] });
    const [hot, warm] = column(profile, 'temperature').frequent.values;
    expect(hot?.value).toBe('hot');
    expect(warm?.value).toBe('warm');
    expect(hot?.count).toBeLessThanOrEqual(15_000);
    expect(hot?.atMost ?? hot?.count).toBeGreaterThanOrEqual(15_000);
    expect(column(profile, 'constant').frequent).toEqual({
      exact: true,
      values: [{ value: 'same', count: rows }],
    });
  });

  test('reports bytes, steps and rows', async () => {
    const reports: Report[] = [];
    await profileOf(['id,temperature,constant\n', ...chunks], reports);
    expect(reports.map(({ step }) => step?.name)).toContain('sniff');
    expect(reports.at(-1)?.step).toEqual({ name: 'summarize', index: 3, count: 3 });
    const done = reports.map(({ progress }) => progress?.done ?? 0);
    expect(done).toEqual([...done].sort((one, other) => one - other));
    expect(reports.at(-1)?.progress?.done).toBe(reports.at(-1)?.progress?.total);
    expect(reports.some(({ message }) => /^profiled [\d,]+ rows of 3 columns$/.test(message ?? ''))).toBe(
      true,
    );
    expect(reports.length).toBeGreaterThan(20);
  });
});
