import { describe, expect, it } from 'vitest';
import { formatBytes, formatDuration, formatGrowing, formatPercent } from '../../web/units.ts';

describe('units', () => {
  it.each([
    [0, '0 B'],
    [999, '999 B'],
    [1000, '1.0 kB'],
    [9_960, '10 kB'],
    [999_600, '1.0 MB'],
    [314_572_800, '315 MB'],
    [5 * 1024 ** 3, '5.4 GB'],
  ])('%d bytes are %s', (bytes, text) => expect(formatBytes(bytes)).toBe(text));

  it.each([
    [-5, '0.0 s'],
    [400, '0.4 s'],
    [9_960, '10 s'],
    [59_499, '59 s'],
    [59_999, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_600_000, '1 h 00 min'],
    [7_500_000, '2 h 05 min'],
  ])('%d ms are %s', (ms, text) => expect(formatDuration(ms)).toBe(text));

  it('counts whole seconds while they grow, and never says all before all is done', () => {
    expect(formatGrowing(1_999)).toBe('1 s');
    expect(formatGrowing(61_999)).toBe('1 min 01 s');
    expect(formatPercent(0.999)).toBe('99 %');
    expect(formatPercent(1)).toBe('100 %');
  });
});
