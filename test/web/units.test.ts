import { describe, expect, it } from 'vitest';
import {
  formatAbout,
  formatBytes,
  formatDuration,
  formatFigure,
  formatGrowing,
  formatLatency,
  formatPercent,
  formatShare,
  formatTime,
} from '../../web/units.ts';

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

  it.each([
    [0, 10, '0 %'],
    [1, 1_000, '<1 %'],
    [985, 1_000, '99 %'],
    [15, 1_000, '2 %'],
    [999, 1_000, '>99 %'],
    [10, 10, '100 %'],
    [0, 0, '0 %'],
  ])('tells %i of %i as %s', (part, whole, text) => {
    expect(formatShare(part, whole)).toBe(text);
  });

  it.each([
    [0, 'a few seconds'],
    [7_000, 'about 5 s'],
    [57_000, 'about 55 s'],
    [58_000, 'about 1 min'],
    [95_000, 'about 1½ min'],
    [3_400_000, 'about 57 min'],
    [5_400_000, 'about 1½ h'],
  ])('a forecast of %d ms is %s', (ms, text) => expect(formatAbout(ms)).toBe(text));

  it('writes latencies, figures and times short', () => {
    expect([4.4, 999, 1_240].map(formatLatency)).toEqual(['4 ms', '999 ms', '1.2 s']);
    expect([1_565_354, 153.54321, -0.00012345678].map(formatFigure)).toEqual([
      '1,565,354',
      '153.54',
      '-0.00012346',
    ]);
    const noon = new Date(2026, 10, 23, 12).getTime();
    const times = [new Date(2026, 10, 23, 9, 5, 7), new Date(2026, 10, 22, 9, 5), new Date(2025, 11, 31)];
    expect(times.map((time) => formatTime(time.toISOString(), noon))).toEqual([
      '09:05:07',
      '22 Nov, 09:05',
      '31 Dec 2025',
    ]);
  });
});
