import { describe, expect, test } from 'vitest';
import { RecordSplitter } from '../../../handlers/process/csv-profile/record-splitter.ts';
import { ProcessingError } from '../../../handlers/process/processor.ts';

const DIALECT = { delimiter: ',', newline: '\n' } as const;
const maximumRecordCharacters = 20;

/** The rows of a text, or the code and detail of the error, however the text arrives. */
function split(text: string, judged = false, chunk = text.length): unknown {
  const splitter = new RecordSplitter(DIALECT, { maximumRecordCharacters, judged });
  const rows: (readonly string[])[] = [];
  const take = ({ records }: ReturnType<RecordSplitter['push']>) => {
    for (const record of records) {
      rows.push(record.fields);
      splitter.passed(record);
    }
  };
  try {
    for (let at = 0; at < text.length; at += chunk) take(splitter.push(text.slice(at, at + chunk)));
    take(splitter.end());
    return rows;
  } catch (error) {
    if (!(error instanceof ProcessingError)) throw error;
    return [error.code, error.detail];
  }
}

/** More than a pass of the parser takes, so that rows end within and between passes. */
const FILLED = 'ab,cd\n'.repeat(6_000);

describe('a row with its line end may have exactly as many characters as are allowed', () => {
  test.each([1, 7, 10_000, 100_000])('in chunks of %i', (chunk) => {
    const fits = `${'x'.repeat(17)},y\n`;
    expect(split(`${FILLED}${fits}${FILLED}`, false, chunk)).toHaveLength(12_001);
    expect(split(`${FILLED}x${fits}${FILLED}`, false, chunk)).toEqual([
      'not-csv',
      'The row that begins on line 6001 has more than 20 characters.',
    ]);
  });

  test('the last row as well, which may lack a line end', () => {
    expect(split(`a,b\n${'x'.repeat(20)}`)).toEqual([['a', 'b'], ['x'.repeat(20)]]);
    expect(split(`a,b\n${'x'.repeat(21)}`)).toEqual(['not-csv', expect.stringContaining('line 2')]);
  });
});

describe('a quote that does not close within as many characters', () => {
  test('ends its row with the first line where text stands behind a closing one', () => {
    expect(split('"a"b,c\n1,2\n3,4\n5,6\n7,8\n')).toEqual([
      ['"a"b,c'],
      ['1', '2'],
      ['3', '4'],
      ['5', '6'],
      ['7', '8'],
    ]);
  });

  test('is an error of its row otherwise', () => {
    expect(split('1,2\n"ab,c\n1,2\n3,4\n5,6\n7,8\n')).toEqual([
      'broken-quotes',
      expect.stringContaining('line 2'),
    ]);
    expect(split('1,2\n3,"')).toEqual(['broken-quotes', expect.stringContaining('line 2')]);
  });

  test('is not closed by a quote that happens to be the last character that is looked at', () => {
    expect(split(`"a"b${'c'.repeat(15)}"d\n1,2\n`)).toEqual([
      'broken-quotes',
      expect.stringContaining('line 1'),
    ]);
  });

  test('is not judged again where the file has been split before', () => {
    const range = '1,2\n"a"b,c\n3,4\n';
    expect(split(range, true)).toEqual([['1', '2'], ['"a"b,c'], ['3', '4']]);
    expect(split('1,2\n"open\n3,4\n', true)).toEqual([['1', '2'], ['"open'], ['3', '4']]);
  });
});
