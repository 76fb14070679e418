import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BundleError,
  bundleFunctions,
  bundlePage,
  type FunctionBundles,
  functionBuildOptions,
} from '../../infrastructure/bundles.ts';
import { FUNCTIONS, SynthesizedStack } from './synthesized-stack.ts';

let directory: string;
let functions: FunctionBundles;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jobwire-bundles-'));
  functions = bundleFunctions(join(directory, 'functions'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

const stack = new SynthesizedStack();

/** The names that a bundle exports when it starts with nothing but these variables. */
async function exportsOf(bundle: string, variables: Readonly<Record<string, string>>): Promise<unknown> {
  const worker = new Worker(
    `import(process.env.BUNDLE).then((module) => require('node:worker_threads').parentPort.postMessage(
       Object.fromEntries(Object.entries(module).map(([name, value]) => [name, typeof value]))));`,
    {
      eval: true,
      env: {
        ...variables,
        // The construct's is no URL before CloudFormation has put in the id of the API.
        ...('SOCKET_URL' in variables && {
          SOCKET_URL: 'wss://abc123.execute-api.us-east-1.amazonaws.com/live',
        }),
        BUNDLE: pathToFileURL(join(bundle, 'index.cjs')).href,
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
    expect(await exportsOf(functions[name], Variables)).toMatchObject({ handler: 'function' });
  });

  it('writes one file a function, below 1.2 MB', () => {
    for (const bundle of Object.values(functions)) {
      expect(readdirSync(bundle)).toEqual(['index.cjs']);
      expect(statSync(join(bundle, 'index.cjs')).size).toBeLessThan(1_200_000);
    }
  });

  /** The same bundles once more, elsewhere, with what is in them. */
  const described = lazily(() =>
    buildSync({ ...functionBuildOptions(join(directory, 'again')), metafile: true, write: false }),
  );

  it('holds nothing that its function does not use', () => {
    const { metafile } = described();
    expect(Object.keys(metafile.outputs)).toHaveLength(Object.keys(functions).length);
    for (const [output, { inputs, imports }] of Object.entries(metafile.outputs)) {
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
        Object.keys(inputs).filter((file) => /undici\/(index\.js|lib\/(mock|cache))/.test(file)),
      ).toEqual([]);
      // One copy of each.
      expect([...packages].filter(([, folders]) => folders.size > 1)).toEqual([]);
      expect(imports.map(({ path }) => path).filter((path) => /^(node:)?http2$/.test(path))).toEqual([]);
    }
  });

  it('writes the same bytes wherever it writes to', () => {
    const again = described().outputFiles ?? [];
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
    const failure = captured(() => bundleFunctions(belowFile));
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
