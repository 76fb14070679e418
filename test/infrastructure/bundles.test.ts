import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
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
import { DEFAULT_VARIANT, entriesOf } from '../../infrastructure/entries.ts';
import { FUNCTIONS, SynthesizedStack } from './synthesized-stack.ts';

let directory: string;
let functions: FunctionBundles;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jobwire-bundles-'));
  functions = bundleFunctions(join(directory, 'functions'), entriesOf(DEFAULT_VARIANT));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const stack = new SynthesizedStack();

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

describe('bundleFunctions', () => {
  it.each(FUNCTIONS)('%s starts with the variables of its construct', async (name, path) => {
    const { Environment } = stack.properties('AWS::Lambda::Function', `${path}/Function`);
    const { Variables } = stack.readable(Environment) as { Variables: Record<string, string> }; // CloudFormation's shape
    const { exports, required } = await start(bundleOf(functions, name), Variables);
    expect(exports).toEqual({ handler: 'function' });
    // Nothing that its first invocation can do without.
    const isProcess = name === 'process';
    expect(required.includes('node:fs/promises')).toBe(isProcess);
    expect(required).not.toContain('node:assert');
    // undici, which alone listens to this, is loaded by those that always post.
    expect(required.includes('node:diagnostics_channel')).toBe(name === 'publish' || name === 'deliver');
  });

  it('writes one file a function, below 1.2 MB', () => {
    for (const bundle of Object.values(functions)) {
      expect(readdirSync(bundle)).toEqual(['index.cjs']);
      expect(statSync(join(bundle, 'index.cjs')).size).toBeLessThan(1_200_000);
    }
  });

  /** The same bundles once more, elsewhere, with what is in them. */
  const described = lazily(() =>
    functionBuildOptions(join(directory, 'again'), entriesOf(DEFAULT_VARIANT)).map((options) =>
      buildSync({ ...options, metafile: true, write: false }),
    ),
  );

  it('holds nothing that its function does not use', () => {
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

  it('writes the same bytes wherever it writes to', () => {
    const again = described().flatMap(({ outputFiles }) => outputFiles ?? []);
    expect(again).toHaveLength(Object.keys(functions).length);
    for (const { path, contents } of again) {
      const file = join(directory, 'functions', relative(join(directory, 'again'), path));
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
    const belowFile = join(functions.api, 'index.cjs', 'folder');
    const failure = captured(() => bundleFunctions(belowFile, entriesOf(DEFAULT_VARIANT)));
    expect(failure).toBeInstanceOf(BundleError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('index.cjs'),
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
