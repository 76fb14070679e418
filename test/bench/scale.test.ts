import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { DOCUMENT, withTables } from '../../bench/scale/document.ts';
import {
  CONNECTION_SECONDS,
  HTTP_BURST,
  HTTP_REQUESTS,
  ROW_BYTES,
  SOCKET_BURST,
  SOCKET_FRAMES,
  WATCHERS_IN_A_UNIT,
} from '../../bench/scale/quotas.ts';
import { INVOCATIONS_OF_A_SHARD, scaleTables } from '../../bench/scale/tables.ts';
import { FIRST_CEILING, LAST_CEILING } from '../../bench/simulation/reconnect.ts';
import { DEFAULT_TIMINGS } from '../../client/timings.ts';

const tables = scaleTables();

function text(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
}

describe('docs/scale.md', () => {
  it('has the tables that npm run cost -- scale prints', () => {
    const document = readFileSync(DOCUMENT, 'utf8');
    expect(document, 'npm run cost -- scale --write brings it up to date').toBe(withTables(document, tables));
  });

  it('is refused with a place for a table that there is not, or without one for a table', () => {
    expect(() => withTables('<!-- table: moons -->\n<!-- end -->\n', tables)).toThrow(/no table moons/);
    expect(() => withTables('', tables)).toThrow(/No place for the tables steady/);
  });
});

describe('the figures that the tables are made of', () => {
  it('are those of the client', () => {
    expect(CONNECTION_SECONDS).toBe((DEFAULT_TIMINGS.rotateMs / 1_000) * 0.95); // up to a tenth less
    const backOff = text('client/back-off.ts').replaceAll('_', '');
    expect(backOff).toMatch(new RegExp(`\\bbaseMs(:| =) ${FIRST_CEILING * 1_000}\\b`, 'i'));
    expect(backOff).toMatch(new RegExp(`\\bmaximumMs(:| =) ${LAST_CEILING * 1_000}\\b`, 'i'));
  });

  it('are those of the template', () => {
    expect(text('infrastructure/http-api.ts')).toContain(
      `throttlingRateLimit: ${HTTP_REQUESTS}, throttlingBurstLimit: ${HTTP_BURST}`,
    );
    expect(text('infrastructure/socket-stage.ts')).toContain(
      `throttlingRateLimit: ${SOCKET_FRAMES}, throttlingBurstLimit: ${SOCKET_BURST}`,
    );
    expect(text('infrastructure/publishing.ts')).toContain(
      `parallelizationFactor: ${INVOCATIONS_OF_A_SHARD},`,
    );
  });

  it('count the rows of a read unit as DynamoDB does: names and values, of 4 KB', () => {
    const row = {
      topic: 'job:job_01JCXW3V6Q8Y2T5R9K4M7N0PZA',
      connection: 'R1kmxc2VNjMCFIA=',
      since: '2026-11-23T12:00:00.000Z',
    };
    const texts = Object.entries(row).reduce((sum, [name, value]) => sum + name.length + value.length, 0);
    const bytes = texts + 'expiresAt'.length + 6; // ten digits: a byte for two, and one
    expect(Math.floor(4_096 / bytes)).toBe(WATCHERS_IN_A_UNIT);
    expect(ROW_BYTES).toBeCloseTo(bytes + 100, -1);
  });
});
