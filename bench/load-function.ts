import { createRequire } from 'node:module';

/** What loading a function took, printed as JSON. */
export interface FunctionLoad {
  /** Milliseconds of the clock. */
  readonly clock: number;
  /** Milliseconds of processor time; what else the machine does counts little here. */
  readonly processor: number;
  /** Megabytes of the process's memory (resident set) that came with it. */
  readonly memory: number;
}

/*
 * Run in a fresh process with the path of a bundle: loads it once, as Lambda's runtime does, and prints what that
 * took. The process's own start is none of it.
 */
const [, , bundle = ''] = process.argv;
const require = createRequire(import.meta.url);
const memoryBefore = process.memoryUsage.rss();
const processorBefore = process.cpuUsage();
const startedAt = performance.now();
const loaded: unknown = require(bundle);
const clock = performance.now() - startedAt;
const { user, system } = process.cpuUsage(processorBefore);
const memory = (process.memoryUsage.rss() - memoryBefore) / 1_000_000;
if (typeof loaded !== 'object' || loaded === null || !('handler' in loaded))
  throw new Error(`${bundle} has no handler`);
const load: FunctionLoad = { clock, processor: (user + system) / 1000, memory };
console.log(JSON.stringify(load));
