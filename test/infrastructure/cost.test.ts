import { describe, expect, it } from 'vitest';
import { ALARM_METRICS, queuesOf } from '../../bench/cost/bill.ts';
import { MEMORY_MB } from '../../bench/cost/usage.ts';
import { DEFAULT_WAYS } from '../../bench/cost/ways.ts';
import { FUNCTIONS, SynthesizedStack } from './synthesized-stack.ts';
import { contextOf, functionsOf } from './variants.ts';

/** Of what costs cents a month, a bill may count a few too many, but none too few. */
const SPARE = 6;

const stack = new SynthesizedStack();

describe('bills are made for what is deployed', () => {
  it.each(FUNCTIONS)('%s has the memory that its seconds are priced by', (name, path) => {
    const { MemorySize } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
    expect(MEMORY_MB[name]).toBe(MemorySize);
  });

  describe('with a workflow and a broker', () => {
    const all = {
      uploadEvents: 'eventbridge',
      processing: 'step-functions-efs',
      broadcast: 'iot-core',
    } as const;
    const variants = new SynthesizedStack(contextOf(all));

    it.each(functionsOf(all))('%s has the memory that its seconds are priced by', (name, path) => {
      const { MemorySize } = variants.properties('AWS::Lambda::Function', `${path}/Function`);
      expect(Object.entries(MEMORY_MB)).toContainEqual([name, MemorySize]);
    });

    it('counts every queue that Lambda polls', () => {
      expect(polledQueues(variants)).toBe(queuesOf(all));
    });
  });

  it('counts every metric that an alarm watches', () => {
    const watched = Object.values(stack.ofType('AWS::CloudWatch::Alarm')).flatMap(({ Properties }) => {
      const { Metrics } = Properties;
      if (!Array.isArray(Metrics)) return [Properties];
      return Metrics.filter((metric: object) => 'MetricStat' in metric);
    });
    expect(watched.length).toBeLessThanOrEqual(ALARM_METRICS);
    expect(watched.length).toBeGreaterThan(ALARM_METRICS - SPARE);
  });

  it('counts every queue that Lambda polls', () => {
    expect(polledQueues(stack)).toBe(queuesOf(DEFAULT_WAYS));
  });
});

function polledQueues(of: SynthesizedStack): number {
  const mappings = Object.values(of.ofType('AWS::Lambda::EventSourceMapping'));
  return mappings.filter(({ Properties }) => !('StartingPosition' in Properties)).length;
}
