import { execFile } from 'node:child_process';
import { mkdirSync, statSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type BuildOptions, buildSync } from 'esbuild';
import { VARIABLES } from '../handlers/environment.ts';
import { bundleFunctions, bundleOf } from '../infrastructure/bundles.ts';
import { DEFAULT_VARIANT, entriesOf, type FunctionName } from '../infrastructure/entries.ts';
import { makeTemporaryFolder } from './left-behind.ts';
import type { FunctionLoad } from './load-function.ts';
import { type Figure, type Measure, requireInvariant } from './measure.ts';
import { alternate, type Round, type Summary } from './rounds.ts';

/** How a function is packed. */
type Packing = 'ours' | 'bundledWhole' | 'outside';

const PACKING_NAMES: Readonly<Record<Packing, string>> = {
  ours: 'ours',
  bundledWhole: 'naive bundle, SDK whole',
  outside: 'SDK outside the bundle',
};

/**
 * A load takes a tenth of a second and varies by as much as a quarter on a shared machine. With five rounds the worst of
 * eight ratios moved between 0.56 and 0.65 from run to run, at the same bundles.
 */
const ROUNDS = 21;
/** One that is small and one that posts show that the measure runs. */
const QUICK_FUNCTIONS = ['authorize', 'publish'] as const satisfies readonly FunctionName[];

/** Of the functions that are deployed where nothing else is asked for. */
const ENTRIES = entriesOf(DEFAULT_VARIANT);

const PROJECT = fileURLToPath(new URL('..', import.meta.url));
const LOADER = fileURLToPath(new URL('load-function.ts', import.meta.url));
const run = promisify(execFile);

/** What Lambda and the constructs would set, so that every function starts. No service is asked for anything. */
const ENVIRONMENT: Readonly<Record<string, string>> = {
  ...Object.fromEntries(Object.values(VARIABLES).map((name) => [name, '1'])),
  [VARIABLES.socketUrl]: 'wss://abc123.execute-api.us-east-1.amazonaws.com/live',
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'token',
};

type Loads = Readonly<Record<Packing, Readonly<Record<keyof FunctionLoad, Summary>>>>;

/**
 * Loads every function in a fresh process: our bundle, beside the same function with the SDK left whole, in both
 * ways in which that is done. *Bundled whole*, the naive bundle, is what esbuild makes for Node when it is told
 * nothing else: the CommonJS of packages, of which nothing can be left out. *Outside the bundle*, slower still, is
 * what the CDK's NodejsFunction does by default: `@aws-sdk/*` and `@smithy/*` are found in node_modules, as they are
 * in Lambda's runtime.
 * A load is counted in processor time, which is the time of the clock on a machine that does nothing else.
 */
export const coldStart: Measure = {
  name: 'coldStart',
  summary: 'loading each function: time, memory and size of the bundle, beside the SDK left whole',
  async run({ quick, signal, log }) {
    const folder = await makeTemporaryFolder();
    try {
      // Keys of a table of entries.
      const names = quick ? QUICK_FUNCTIONS : (Object.keys(ENTRIES) as FunctionName[]);
      const bundles = pack(folder.path, names);
      const loads = new Map<FunctionName, Loads>();
      for (const name of names) {
        const round = (packing: Packing): Round<keyof FunctionLoad> => {
          return () => load(bundles[packing](name));
        };
        loads.set(
          name,
          await alternate(
            { ours: round('ours'), bundledWhole: round('bundledWhole'), outside: round('outside') },
            { rounds: quick ? 1 : ROUNDS, warmUps: quick ? 0 : 1, signal },
          ),
        );
        log(`loaded ${name}`);
      }
      return {
        figures: [...loads].flatMap(([name, load]) => figuresOf(name, load, bundles)),
        ratios: {
          worstLoadOursToNaive: worst(loads, 'bundledWhole'),
          worstLoadOursToOutside: worst(loads, 'outside'),
        },
      };
    } finally {
      await folder.remove();
    }
  },
};

/** Packs the functions in every way; answers with the file of a function. */
function pack(
  folder: string,
  names: readonly FunctionName[],
): Readonly<Record<Packing, (name: FunctionName) => string>> {
  const ours = bundleFunctions(path.join(folder, 'ours'), ENTRIES);
  // As Lambda's runtime has the SDK: in a node_modules that the function finds.
  mkdirSync(path.join(folder, 'outside'), { recursive: true });
  symlinkSync(path.join(PROJECT, 'node_modules'), path.join(folder, 'outside', 'node_modules'), 'junction');
  const naive = (name: string, options: BuildOptions) => {
    buildSync({
      absWorkingDir: PROJECT,
      entryPoints: Object.fromEntries(
        Object.entries(ENTRIES)
          .filter(([entry]) => names.some((name) => name === entry))
          .map(([entry, file]) => [`${entry}/index`, file]),
      ),
      outdir: path.join(folder, name),
      outExtension: { '.js': '.cjs' },
      bundle: true,
      platform: 'node',
      logLevel: 'silent',
      ...options,
    });
    return (entry: FunctionName) => path.join(folder, name, entry, 'index.cjs');
  };
  return {
    ours: (name) => path.join(bundleOf(ours, name), 'index.cjs'),
    bundledWhole: naive('whole', {}),
    outside: naive('outside', { external: ['@aws-sdk/*', '@smithy/*'] }),
  };
}

async function load(bundle: string): Promise<FunctionLoad> {
  const { stdout } = await run(process.execPath, [LOADER, bundle], {
    env: { ...process.env, ...ENVIRONMENT, NODE_OPTIONS: '', NODE_COMPILE_CACHE: '' },
  });
  // What load-function.ts printed.
  const found = JSON.parse(stdout) as FunctionLoad;
  requireInvariant(found.processor > 0, `${bundle} took no time to load`);
  return found;
}

function worst(loads: ReadonlyMap<FunctionName, Loads>, naive: Packing): number {
  return Math.max(...[...loads.values()].map((load) => ratio(load, naive, 'processor')));
}

function ratio(load: Loads, naive: Packing, metric: keyof FunctionLoad): number {
  return load.ours[metric].median / load[naive][metric].median;
}

function figuresOf(
  name: FunctionName,
  load: Loads,
  bundles: Readonly<Record<Packing, (name: FunctionName) => string>>,
): readonly Figure[] {
  const kilobytes = (packing: Packing) => statSync(bundles[packing](name)).size / 1_000;
  const beside = (metric: keyof FunctionLoad, naive: Packing, label: string, unit: string): Figure => ({
    name: `${name}: ${label}`,
    unit,
    value: load.ours[metric].median,
    spread: load.ours[metric].spread,
    baseline: { name: PACKING_NAMES[naive], value: load[naive][metric].median },
    ratio: ratio(load, naive, metric),
  });
  return [
    beside('processor', 'bundledWhole', 'load', 'ms'),
    beside('processor', 'outside', 'load', 'ms'),
    beside('clock', 'bundledWhole', 'load by the clock', 'ms'),
    beside('memory', 'bundledWhole', 'memory', 'MB'),
    {
      name: `${name}: bundle`,
      unit: 'KB',
      value: kilobytes('ours'),
      baseline: { name: PACKING_NAMES.bundledWhole, value: kilobytes('bundledWhole') },
      ratio: kilobytes('ours') / kilobytes('bundledWhole'),
    },
  ];
}
