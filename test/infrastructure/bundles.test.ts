import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { isBuiltin } from 'node:module';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BundleError,
  bundleFunctions,
  bundleOf,
  bundlePage,
  type FunctionBundles,
  functionBuildOptions,
} from '../../infrastructure/bundles.ts';
import { DEFAULT_VARIANT, entriesOf, type OfFunctions } from '../../infrastructure/entries.ts';
import { SynthesizedStack } from './synthesized-stack.ts';
import { type Combination, contextOf, functionsOf } from './variants.ts';

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jobwire-bundles-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const DEFAULTS = entriesOf(DEFAULT_VARIANT);
const DEFAULT: Combination = { uploadEvents: 'eventbridge', processing: 'lambda', broadcast: 'none' };
const VARIANT = {
  uploadEvents: 'eventbridge',
  processing: 'step-functions-efs',
  broadcast: 'iot-core',
} as const;
const VARIANTS = entriesOf({ processing: { by: VARIANT.processing }, broadcast: { by: VARIANT.broadcast } });

/** What is bundled, and the stacks whose constructs set its variables. */
const SETS = [
  { set: 'the default variant', entries: DEFAULTS, combinations: [DEFAULT] },
  {
    set: 'the other variants',
    entries: othersOf(VARIANTS),
    combinations: [VARIANT, { ...VARIANT, processing: 'step-functions' as const }],
  },
];

/** The entries that the default variant has not. */
function othersOf(entries: OfFunctions<string>): OfFunctions<string> {
  const defaults = new Set(Object.values(DEFAULTS));
  return Object.fromEntries(
    Object.entries(entries).filter(([, file]) => !defaults.has(file)),
  ) as OfFunctions<string>; // not all of them: only the names are looked at
}

/** The functions that run parts of processors, or read a shared folder. */
const WORKING = new Set(['process', 'fetch', 'inspect', 'profile', 'merge', 'fail']);

/** What a bundle does when it starts. */
interface Start {
  /** The type of each export. */
  readonly exports: Readonly<Record<string, string>>;
  /** The modules that it requires. */
  readonly required: readonly string[];
}

/** Starts a bundle with nothing but these variables. */
async function start(bundle: string, variables: Readonly<Record<string, string>>): Promise<Start> {
  const worker = new Worker(
    `const Module = require('node:module');
     const load = Module._load;
     const required = [];
     Module._load = (name, ...rest) => { required.push(name); return load(name, ...rest); };
     const module = require(process.env.BUNDLE);
     const exports = Object.fromEntries(Object.entries(module).map(([name, value]) => [name, typeof value]));
     require('node:worker_threads').parentPort.postMessage({ exports, required });`,
    {
      eval: true,
      env: {
        ...variables,
        // The construct's is no URL before CloudFormation has put in the id of the API.
        ...('SOCKET_URL' in variables && {
          SOCKET_URL: 'wss://abc123.execute-api.us-east-1.amazonaws.com/live',
        }),
        // Nor is this one an ARN.
        ...('STATE_MACHINE_ARN' in variables && {
          STATE_MACHINE_ARN: 'arn:aws:states:us-east-1:123456789012:stateMachine:Workflow',
        }),
        BUNDLE: join(bundle, 'index.cjs'),
        // Lambda sets these.
        AWS_REGION: 'us-east-1',
        AWS_ACCESS_KEY_ID: 'test',
        AWS_SECRET_ACCESS_KEY: 'test',
      },
    },
  );
  try {
    return await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  } finally {
    await worker.terminate();
  }
}

describe.each(SETS)('the functions of $set', ({ set, entries, combinations }) => {
  let functions: FunctionBundles;
  beforeAll(() => {
    functions = bundleFunctions(join(directory, set), entries);
  });

  const started = combinations.flatMap((combination) => {
    const stack = new SynthesizedStack(contextOf(combination));
    return functionsOf(combination)
      .filter(([name]) => name in entries)
      .map(([name, path]) => ({ name, path, stack }));
  });

  it('are all of them started', () => {
    expect([...new Set(started.map(({ name }) => name))].sort()).toEqual(Object.keys(entries).sort());
  });

  it.each(started)('$name starts with the variables of its construct', async ({ name, path, stack }) => {
    const { Environment } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
    const { Variables } = stack.readable(Environment) as { Variables: Record<string, string> }; // CloudFormation's shape
    const { exports, required } = await start(bundleOf(functions, name), Variables);
    expect(exports).toEqual({ handler: 'function' });
    // Nothing that its first invocation can do without.
    expect(required.includes('node:fs/promises')).toBe(WORKING.has(name));
    expect(required).not.toContain('node:assert');
    // undici, which alone listens to this, is loaded by those that always post.
    expect(required.includes('node:diagnostics_channel')).toBe(name === 'publish' || name === 'deliver');
  });

  it('are one file each, below 1.2 MB', () => {
    for (const bundle of Object.values(functions)) {
      expect(readdirSync(bundle)).toEqual(['index.cjs']);
      expect(statSync(join(bundle, 'index.cjs')).size).toBeLessThan(1_200_000);
    }
  });

  /** The same bundles once more, elsewhere, with what is in them. */
  const described = lazily(() =>
    functionBuildOptions(join(directory, 'again'), entries).map((options) =>
      buildSync({ ...options, metafile: true, write: false }),
    ),
  );

  it('hold nothing that they do not use', () => {
    const outputs = described().flatMap(({ metafile }) => Object.entries(metafile.outputs));
    expect(outputs).toHaveLength(Object.keys(functions).length);
    for (const [output, { inputs, imports }] of outputs) {
      const packages = packagesOf(Object.keys(inputs));
      expect(packages.size, output).toBeGreaterThan(10);
      const names = [...packages.keys()];
      // Credentials come from the environment alone.
      expect(names.filter((name) => /credential-provider|token-providers|nested-clients/.test(name))).toEqual(
        [],
      );
      // What only a variant calls is in its own entries.
      const callsOthers = names.filter((name) => /^@aws-sdk\/client-(sfn|iot)/.test(name)).length > 0;
      if (entries === DEFAULTS) expect(callsOthers, output).toBe(false);
      // S3 speaks XML; nobody else does.
      expect(names.includes('@aws-sdk/xml-builder'), output).toBe(names.includes('@aws-sdk/client-s3'));
      // Posts go by undici's client alone.
      expect(names).not.toContain('@aws-sdk/client-apigatewaymanagementapi');
      expect(
        Object.keys(inputs).filter((file) => /undici\/(index\.js|lib\/(mock|cache|web\/fetch))/.test(file)),
      ).toEqual([]);
      // One copy of each.
      expect([...packages].filter(([, folders]) => folders.size > 1)).toEqual([]);
      const outside = imports.map(({ path }) => path.replace(/^node:/, ''));
      expect(outside).not.toContain('http2');
      // Node's own modules, but for what undici never asks for.
      expect(
        outside.filter(
          (path) => !isBuiltin(path) && !isBuiltin(`node:${path}`) && !path.endsWith('/fetch/body.js'),
        ),
      ).toEqual([]);
    }
  });

  it('are the same bytes wherever they are written to', () => {
    const again = described().flatMap(({ outputFiles }) => outputFiles ?? []);
    expect(again).toHaveLength(Object.keys(functions).length);
    for (const { path, contents } of again) {
      const file = join(directory, set, relative(join(directory, 'again'), path));
      expect(readFileSync(file).equals(contents), path).toBe(true);
    }
  });
});

describe('bundlePage', () => {
  it('has a script, a style sheet, and places for the URLs', () => {
    const page = bundlePage(join(directory, 'page'));
    expect(readdirSync(page.assets)).toEqual(expect.arrayContaining(['main.css', 'main.js']));
    expect(page.index).toContain('<meta name="jobwire-api" content="{{api}}">');
    expect(page.index).toMatch(/connect-src [^;"]*\{\{connect-sources\}\}/);
    expect(page.index).toContain('main.js');
    expect(page.index).not.toContain('unsafe-inline');
  });
});

describe('BundleError', () => {
  it('says what is wrong, and keeps the cause', () => {
    const file = join(directory, 'file.cjs');
    writeFileSync(file, '');
    const failure = captured(() => bundleFunctions(join(file, 'folder'), DEFAULTS));
    expect(failure).toBeInstanceOf(BundleError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('file.cjs'),
      cause: expect.any(Error),
    });
  });
});

function lazily<Value>(make: () => Value): () => Value {
  let made: { readonly value: Value } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/** The packages of which files are in a bundle, with the folders that each comes from. */
function packagesOf(files: readonly string[]): ReadonlyMap<string, ReadonlySet<string>> {
  const packages = new Map<string, Set<string>>();
  for (const file of files) {
    const [, folder, name] = /^(.*node_modules\/((?:@[^/]+\/)?[^/]+))\//.exec(file) ?? [];
    if (folder === undefined || name === undefined) continue;
    packages.set(name, (packages.get(name) ?? new Set()).add(folder));
  }
  return packages;
}

function captured(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
