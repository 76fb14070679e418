import type { MeasureName } from './measure.ts';

/** What a ratio must reach on a two-core machine (issue 4, "It is done when"). */
export type Target = { readonly atMost: number } | { readonly atLeast: number };

/** The targets by measure and ratio; a ratio without one is there to be read. */
export const TARGETS: Readonly<Record<MeasureName, Readonly<Record<string, Target>>>> = {
  post: { cpuOursToSdk: { atMost: 0.125 }, rateOursToUnsigned: { atLeast: 0.4 } },
  publish: {
    timeSamplesToOurs: { atLeast: 4 },
    growth1kTo10k: { atMost: 1.15 },
    foreignRows: { atMost: 1.1 },
  },
  latency: { p50Ms: { atMost: 25 }, p99Ms: { atMost: 100 } },
  connections: { memoryOursToWs: { atMost: 2 } },
  coldStart: { worstLoadOursToNaive: { atMost: 0.6 } },
  conflation: { framesToWrites: { atMost: 0.1 } },
  // Issue 5: once to the shared file system, once a step without.
  processing: { downloadsWithSharedFiles: { atMost: 1 }, bytesWorkflowToFile: { atMost: 2 } },
  telling: { brokerRequestsMostToFewest: { atMost: 1 } },
};

/** Whether the ratio is where it should be; undefined where nothing is asked of it. */
export function meets(target: Target | undefined, ratio: number): boolean | undefined {
  if (target === undefined) return undefined;
  return 'atMost' in target ? ratio <= target.atMost : ratio >= target.atLeast;
}

/** The target in words, such as `at most 0.125`. */
export function describeTarget(target: Target): string {
  return 'atMost' in target ? `at most ${target.atMost}` : `at least ${target.atLeast}`;
}
