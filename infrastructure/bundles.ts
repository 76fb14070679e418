import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildOptions, buildSync, formatMessagesSync } from 'esbuild';
import type { FunctionName, OfFunctions } from './entries.ts';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const COMMON_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'silent', // the errors are thrown, and a synth that succeeds says nothing
} as const satisfies BuildOptions;

/** The folder of each function's bundle: one file, `index.cjs`, that exports `handler`. Of those that are deployed. */
export type FunctionBundles = OfFunctions<string>;

/** The built page. */
export interface PageBundle {
  /** The folder with everything but index.html. */
  readonly assets: string;
  /** index.html, with the placeholders `{{api}}` and `{{connect-sources}}`. */
  readonly index: string;
}

/** A source does not compile. The message names each place, with its line. */
export class BundleError extends Error {
  override readonly name = 'BundleError';
}

/**
 * What is bundled in place of parts that no function uses, and that loading would take half as long again with
 * (docs/decisions/0016-small-bundles.md).
 */
const INSTEAD = {
  // A role's credentials are in the environment: no files, no services and no processes are asked for them.
  '@aws-sdk/credential-provider-node': './handlers/aws/sdk-parts/credential-provider.ts',
  '@smithy/core/event-streams': './handlers/aws/sdk-parts/event-streams.ts',
  'node:http2': './handlers/aws/sdk-parts/http2.ts',
  // Resolved from here, wherever it is imported: otherwise the signer of POST policies brings a copy of its own.
  '@aws-sdk/client-s3': '@aws-sdk/client-s3',
} as const;

/** And in place of modules of Node that a processor, or a shared folder, may well want: so in every other function. */
const INSTEAD_OF_NODE = {
  'node:assert': './handlers/aws/sdk-parts/assert.cts',
  'node:fs/promises': './handlers/aws/sdk-parts/fs-promises.ts',
} as const;

/**
 * Stays outside, and is not there: undici asks for it when a request's body is a form, a Blob or an iterable. Ours
 * are bytes (handlers/aws/post-socket.ts). With it come eight more files of undici's fetch, 90 KB to parse.
 */
const NEVER_ASKED_FOR = ['*/web/fetch/body.js'];

/** The functions that run parts of processors, or read a shared folder. */
const PROCESSING: ReadonlySet<string> = new Set<FunctionName>([
  'process',
  'fetch',
  'inspect',
  'profile',
  'merge',
  'fail',
]);

/**
 * How functions are bundled, in as few runs of esbuild as can be, because what functions share is read once in each.
 */
export function functionBuildOptions(
  directory: string,
  entries: OfFunctions<string>,
): readonly BuildOptions[] {
  const all = Object.entries(entries);
  return [
    buildOptions(
      directory,
      all.filter(([name]) => !PROCESSING.has(name)),
      { ...INSTEAD, ...INSTEAD_OF_NODE },
    ),
    buildOptions(
      directory,
      all.filter(([name]) => PROCESSING.has(name)),
      INSTEAD,
    ),
  ];
}

function buildOptions(
  directory: string,
  entries: readonly (readonly [name: string, file: string])[],
  alias: Readonly<Record<string, string>>,
): BuildOptions {
  return {
    ...COMMON_OPTIONS,
    entryPoints: Object.fromEntries(entries.map(([name, file]) => [`${name}/index`, file])),
    outdir: directory,
    // CommonJS loads 4 to 6 ms of 69 sooner: to import a module of Node's own, an ES module looks at every one of
    // its exports, and some of those are getters that load parts of Node which nobody uses.
    format: 'cjs',
    outExtension: { '.js': '.cjs' },
    platform: 'node',
    target: 'node24',
    // Dependencies that ship both are taken as ES modules: only those can be tree-shaken.
    mainFields: ['module', 'main'],
    alias,
    external: NEVER_ASKED_FOR,
    // Names stay, and lines are short, so that a stack trace in a log can be read; source maps would cost more than
    // all of this wherever a stack is looked at.
    minifyWhitespace: true,
    lineLimit: 120,
    minifySyntax: true,
  };
}

/**
 * Bundles the functions of these entries.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundleFunctions(directory: string, entries: OfFunctions<string>): FunctionBundles {
  for (const options of functionBuildOptions(directory, entries)) bundle(options);
  const folders = Object.keys(entries).map((name) => [name, join(directory, name)]);
  return Object.fromEntries(folders) as FunctionBundles; // a folder for each entry
}

/**
 * The bundle of a function that only some deployments have.
 * @throws TypeError where it has not been bundled: `entriesOf` and the constructs disagree.
 */
export function bundleOf(bundles: FunctionBundles, name: FunctionName): string {
  const bundle = bundles[name];
  if (bundle === undefined) throw new TypeError(`${name} has not been bundled`);
  return bundle;
}

/** How the page is bundled: `main.js` and `main.css` from web/main.tsx, and a file for what it loads later, if ever. */
export function pageBuildOptions(directory: string): BuildOptions {
  return {
    ...COMMON_OPTIONS,
    entryPoints: { main: 'web/main.tsx' },
    outdir: directory,
    format: 'esm',
    // Who does not watch by a broker does not load what speaks to one.
    splitting: true,
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
  };
}

/**
 * Bundles the page.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundlePage(directory: string): PageBundle {
  bundle(pageBuildOptions(directory));
  return { assets: directory, index: readFileSync(join(ROOT, 'web', 'index.html'), 'utf8') };
}

function bundle(options: BuildOptions): void {
  try {
    buildSync(options);
  } catch (error) {
    const { errors } = error as BuildFailure; // what esbuild documents to throw
    throw new BundleError(formatMessagesSync(errors, { kind: 'error' }).join(''), { cause: error });
  }
}
