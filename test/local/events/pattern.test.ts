import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidPatternError } from '../../../local/events/invalid-pattern-error.ts';
import { compileFilters, compilePattern } from '../../../local/events/pattern.ts';

describe('what matches', () => {
  test.each<[string, unknown, unknown, boolean]>([
    ['a string', { a: ['x'] }, { a: 'x' }, true],
    ['another string', { a: ['x'] }, { a: 'y' }, false],
    ['one of several', { a: ['x', 'y'] }, { a: 'y' }, true],
    ['all fields', { a: ['x'], b: ['y'] }, { a: 'x' }, false],
    ['null', { a: [null] }, { a: null }, true],
    ['null is not absent', { a: [null] }, {}, false],
    ['the empty string', { a: [''] }, { a: '' }, true],
    ['numbers are not strings', { a: [1] }, { a: '1' }, false],
    ['booleans', { a: [true] }, { a: true }, true],
    ['nested fields', { a: { b: ['x'] } }, { a: { b: 'x', c: 1 } }, true],
    ['one element of a list', { a: ['x'] }, { a: ['w', 'x'] }, true],
    ['one object of a list', { a: { b: ['x'], c: ['y'] } }, { a: [{ b: 'x', c: 'y' }, {}] }, true],
    [
      'objects of a list are not mixed',
      { a: { b: ['x'], c: ['y'] } },
      { a: [{ b: 'x' }, { c: 'y' }] },
      false,
    ],
    ['an inherited field is absent', { constructor: [{ exists: true }] }, {}, false],
    ['prefix', { a: [{ prefix: 'jobs/' }] }, { a: 'jobs/1' }, true],
    ['prefix without case', { a: [{ prefix: { 'equals-ignore-case': 'JOBS' } }] }, { a: 'jobs/1' }, true],
    ['suffix', { a: [{ suffix: '.csv' }] }, { a: '1.csv' }, true],
    ['suffix, no match', { a: [{ suffix: '.csv' }] }, { a: '1.txt' }, false],
    ['equals-ignore-case', { a: [{ 'equals-ignore-case': 'INSERT' }] }, { a: 'insert' }, true],
    ['wildcard', { a: [{ wildcard: 'u/*/file.*' }] }, { a: 'u/1/2/file.csv' }, true],
    ['wildcard, no match', { a: [{ wildcard: 'u/*/file' }] }, { a: 'u/1/file.csv' }, false],
    ['an escaped wildcard', { a: [{ wildcard: '\\*x*' }] }, { a: '*xy' }, true],
    ['a dot is a dot', { a: [{ wildcard: 'a.c' }] }, { a: 'abc' }, false],
    ['numeric', { a: [{ numeric: ['=', 5] }] }, { a: 5 }, true],
    ['numeric range', { a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 5 }, true],
    ['numeric range, outside', { a: [{ numeric: ['>', 0, '<', 5] }] }, { a: 5 }, false],
    ['numeric and a DynamoDB number', { n: { N: [{ numeric: ['>', 1] }] } }, { n: { N: '5' } }, false],
    ['cidr', { ip: [{ cidr: '10.0.0.0/24' }] }, { ip: '10.0.0.7' }, true],
    ['cidr, outside', { ip: [{ cidr: '10.0.0.0/24' }] }, { ip: '10.0.1.7' }, false],
    ['anything-but', { a: [{ 'anything-but': 'x' }] }, { a: 'y' }, true],
    ['anything-but, the same', { a: [{ 'anything-but': ['x', 'y'] }] }, { a: 'y' }, false],
    ['anything-but, absent', { a: [{ 'anything-but': 'x' }] }, {}, false],
    ['anything-but prefix', { a: [{ 'anything-but': { prefix: ['x', 'y'] } }] }, { a: 'yes' }, false],
    ['exists', { a: [{ exists: true }] }, { a: null }, true],
    ['exists, absent', { a: [{ exists: true }] }, {}, false],
    ['exists false', { a: [{ exists: false }] }, {}, true],
    ['exists false, present', { a: [{ exists: false }] }, { a: 1 }, false],
    ['exists false below what is absent', { a: { b: [{ exists: false }] } }, {}, true],
    ['exists on an object', { a: [{ exists: true }] }, { a: { S: 'x' } }, false],
    ['exists false on an object: the trap of AWS', { a: [{ exists: false }] }, { a: { S: 'x' } }, true],
    ['exists on the type tag', { a: { S: [{ exists: true }] } }, { a: { S: 'x' } }, true],
    ['$or', { $or: [{ a: ['x'] }, { b: [1] }] }, { b: 1 }, true],
    ['$or, neither', { $or: [{ a: ['x'] }, { b: [1] }] }, { b: 2 }, false],
    ['$or and a field', { c: [1], $or: [{ a: ['x'] }, { b: [1] }] }, { a: 'x' }, false],
  ])('%s', (_, pattern, event, expected) => {
    expect(compilePattern(JSON.stringify(pattern))(event)).toBe(expected);
    expect(compilePattern(pattern)(event)).toBe(expected);
  });

  test('filters: one suffices, none lets all pass', () => {
    const matches = compileFilters(['{"a":["x"]}', '{"b":[1]}']);
    expect([{ a: 'x' }, { b: 1 }, { c: 1 }].map(matches)).toEqual([true, true, false]);
    expect(compileFilters([])({})).toBe(true);
  });
});

describe('what is refused, by path', () => {
  test.each<[unknown, string]>([
    ['{', ''],
    [[], ''],
    [{}, ''],
    [{ a: {} }, 'a'],
    [{ a: { b: 'x' } }, 'a.b'],
    [{ a: [] }, 'a'],
    [{ a: [['x']] }, 'a'],
    [{ a: [{ prefix: 1 }] }, 'a'],
    [{ a: [{ prefix: 'x', suffix: 'y' }] }, 'a'],
    [{ a: [{ like: 'x' }] }, 'a'],
    [{ a: [{ exists: 'yes' }] }, 'a'],
    [{ a: [{ numeric: ['>'] }] }, 'a'],
    [{ a: [{ numeric: ['<', 1, '>', 5] }] }, 'a'],
    [{ a: [{ numeric: ['>', 6, '<', 5] }] }, 'a'],
    [{ a: [{ numeric: ['>', '5'] }] }, 'a'],
    [{ a: [{ numeric: ['>', 6e9] }] }, 'a'],
    [{ a: [{ 'anything-but': [] }] }, 'a'],
    [{ a: [{ 'anything-but': ['x', 1] }] }, 'a'],
    [{ a: [{ 'anything-but': { numeric: ['=', 1] } }] }, 'a'],
    [{ a: [{ wildcard: 'a**' }] }, 'a'],
    [{ a: [{ cidr: '10.0.0.0/33' }] }, 'a'],
    [{ a: { $or: [{ b: ['x'] }] } }, 'a.$or'],
    [{ $or: [{ b: ['x'] }, { b: [] }] }, '$or.1.b'],
  ])('%j at "%s"', (pattern, path) => {
    const compile = () => compilePattern(pattern);
    expect(compile).toThrow(InvalidPatternError);
    expect(compile).toThrow(path === '' ? 'definition: ' : `definition at ${path}: `);
  });

  test('whatever is given compiles or is refused with our error', () => {
    fc.assert(
      fc.property(fc.jsonValue(), fc.jsonValue(), (pattern, event) => {
        try {
          expect(typeof compilePattern(pattern)(event)).toBe('boolean');
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidPatternError);
        }
      }),
    );
  });
});
