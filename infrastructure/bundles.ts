import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildOptions, buildSync, formatMessagesSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

const COMMON_OPTIONS = {
  absWorkingDir: ROOT,
  bundle: true,
  legalComments: 'none',
  charset: 'utf8',
  logLevel: 'silent', // the errors are thrown, and a synth that succeeds says nothing
} as const satisfies BuildOptions;

/** The entry file of every function, in flow order. */
export const ENTRIES = {
  api: 'handlers/api/api.lambda.ts',
  objectCreated: 'handlers/upload/object-created.lambda.ts',
  process: 'handlers/process/process.lambda.ts',
  publish: 'handlers/publish/publish.lambda.ts',
  deliver: 'handlers/publish/deliver.lambda.ts',
  authorize: 'handlers/socket/authorize.lambda.ts',
  socket: 'handlers/socket/socket.lambda.ts',
  sweep: 'handlers/sweep/sweep.lambda.ts',
} as const;

/** A function of the stack. */
export type FunctionName = keyof typeof ENTRIES;

/** The folder of each function's bundle: one file, `index.cjs`, that exports `handler`. */
export type FunctionBundles = Readonly<Record<FunctionName, string>>;

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

/** And in place of modules of Node that a processor may well want: so in every function but `process`. */
const INSTEAD_OF_NODE = {
  'node:assert': './handlers/aws/sdk-parts/assert.cts',
  'node:fs/promises': './handlers/aws/sdk-parts/fs-promises.ts',
} as const;

/**
 * Stays outside, and is not there: undici asks for it when a request's body is a form, a Blob or an iterable. Ours
 * are bytes (handlers/aws/post-socket.ts). With it come eight more files of undici's fetch, 90 KB to parse.
 */
const NEVER_ASKED_FOR = ['*/web/fetch/body.js'];

/**
 * How functions are bundled, in as few runs of esbuild as can be, because what functions share is read once in each.
 */
export function functionBuildOptions(directory: string): readonly BuildOptions[] {
  const names = Object.keys(ENTRIES) as FunctionName[]; // the keys of a const table are its names
  return [
    buildOptions(
      directory,
      names.filter((name) => name !== 'process'),
      { ...INSTEAD, ...INSTEAD_OF_NODE },
    ),
    buildOptions(directory, ['process'], INSTEAD),
  ];
}

function buildOptions(
  directory: string,
  names: readonly FunctionName[],
  alias: Readonly<Record<string, string>>,
): BuildOptions {
  return {
    ...COMMON_OPTIONS,
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, ENTRIES[name]])),
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
 * Bundles every function.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundleFunctions(directory: string): FunctionBundles {
  for (const options of functionBuildOptions(directory)) bundle(options);
  const names = Object.keys(ENTRIES) as FunctionName[]; // as above
  return Object.fromEntries(names.map((name) => [name, join(directory, name)])) as FunctionBundles; // every name has just got its folder
}

/**
 * Bundles the page: `main.js` and `main.css` from web/main.tsx.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundlePage(directory: string): PageBundle {
  bundle({
    ...COMMON_OPTIONS,
    entryPoints: { main: 'web/main.tsx' },
    outdir: directory,
    format: 'esm',
    platform: 'browser',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    minify: true,
  });
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
