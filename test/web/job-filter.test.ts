import { describe, expect, it } from 'vitest';
import { formatFilter, isFiltering, NO_FILTER, parseFilter, shows, toggled } from '../../web/job-filter.ts';
import { sampleJob } from '../client/sample-job.ts';

const job = sampleJob(3, 'running', {
  tags: ['nightly'],
  input: { fileName: 'Rides 2026.csv', contentType: 'text/csv', size: 1 },
});

describe('the filter of the list', () => {
  it.each([
    [NO_FILTER, true],
    [{ ...NO_FILTER, statuses: ['running', 'queued'] as const }, true],
    [{ ...NO_FILTER, statuses: ['failed'] as const }, false],
    [{ ...NO_FILTER, tag: 'nightly' }, true],
    [{ ...NO_FILTER, tag: 'night' }, false],
    [{ ...NO_FILTER, search: ' 2026  rides' }, true],
    [{ ...NO_FILTER, search: 'rides 2025' }, false],
    [{ ...NO_FILTER, search: job.id.slice(-5).toLowerCase() }, true],
    [{ ...NO_FILTER, search: 'CSV-PROFILE' }, true],
    [{ statuses: ['running'] as const, tag: 'nightly', search: 'nothing' }, false],
  ])('%j: %s', (filter, expected) => expect(shows(filter, job)).toBe(expected));

  it('is kept in the address', () => {
    const filter = { statuses: ['queued', 'running'] as const, tag: 'a&b=c', search: 'ä b' };
    expect(parseFilter(formatFilter(filter))).toEqual(filter);
    expect(formatFilter(NO_FILTER)).toBe('');
    expect(parseFilter('?status=nonsense,failed&x=1')).toEqual({ ...NO_FILTER, statuses: ['failed'] });
  });

  it('switches a status on and off', () => {
    const on = toggled(NO_FILTER, 'failed');
    expect([on.statuses, toggled(on, 'failed').statuses]).toEqual([['failed'], []]);
    expect([isFiltering(on), isFiltering({ ...NO_FILTER, search: '  ' })]).toEqual([true, false]);
  });
});
