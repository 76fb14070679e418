import { describe, expect, it } from 'vitest';
import { ALARM_METRICS, POLLED_QUEUES } from '../../bench/cost/bill.ts';
import { MEMORY_MB } from '../../bench/cost/usage.ts';
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

  it('counts the seconds of what variants add at their memory', () => {
    const all = {
      uploadEvents: 'eventbridge',
      processing: 'step-functions-efs',
      broadcast: 'iot-core',
    } as const;
    const variants = new SynthesizedStack(contextOf(all));
    for (const [name, path] of functionsOf(all)) {
      const { MemorySize } = variants.properties('AWS::Lambda::Function', `${path}/Function`);
      expect(Object.entries(MEMORY_MB)).toContainEqual([name, MemorySize]);
    }
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
    const mappings = Object.values(stack.ofType('AWS::Lambda::EventSourceMapping'));
    const streams = mappings.filter(({ Properties }) => 'StartingPosition' in Properties);
    expect(mappings.length - streams.length).toBeLessThanOrEqual(POLLED_QUEUES);
    expect(mappings.length - streams.length).toBeGreaterThan(1);
  });
});
