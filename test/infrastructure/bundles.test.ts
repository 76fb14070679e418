import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  BundleError,
  bundleFunctions,
  bundlePage,
  type FunctionBundles,
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
        BUNDLE: pathToFileURL(join(bundle, 'index.mjs')).href,
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

  it('writes one file a function, below 2 MB', () => {
    for (const bundle of Object.values(functions)) {
      expect(readdirSync(bundle)).toEqual(['index.mjs']);
      expect(statSync(join(bundle, 'index.mjs')).size).toBeLessThan(2_000_000);
    }
  });

  it('writes the same bytes wherever it writes to', () => {
    const again = bundleFunctions(join(directory, 'again'));
    for (const name of Object.keys(functions) as (keyof FunctionBundles)[]) {
      const bytes = (bundle: string) => readFileSync(join(bundle, 'index.mjs'));
      expect(bytes(again[name]).equals(bytes(functions[name])), name).toBe(true);
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
    const belowFile = join(functions.api, 'index.mjs', 'folder');
    const failure = captured(() => bundleFunctions(belowFile));
    expect(failure).toBeInstanceOf(BundleError);
    expect(failure).toMatchObject({
      message: expect.stringContaining('index.mjs'),
      cause: expect.any(Error),
    });
  });
});

function captured(action: () => unknown): unknown {
  try {
    action();
  } catch (error) {
    return error;
  }
  throw new Error('Nothing was thrown');
}
