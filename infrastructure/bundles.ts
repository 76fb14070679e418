import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildFailure, type BuildOptions, buildSync, formatMessagesSync } from 'esbuild';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

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

/** The folder of each function's bundle: one file, `index.mjs`, that exports `handler`. */
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
 * Bundles every function with one run of esbuild, because what they share is then read once.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundleFunctions(directory: string): FunctionBundles {
  const names = Object.keys(ENTRIES) as FunctionName[]; // the keys of a const table are its names
  bundle({
    entryPoints: Object.fromEntries(names.map((name) => [`${name}/index`, ENTRIES[name]])),
    outdir: directory,
    outExtension: { '.js': '.mjs' },
    platform: 'node',
    target: 'node24',
    // Dependencies that ship both are taken as ES modules: only those can be tree-shaken.
    mainFields: ['module', 'main'],
    // Dependencies that ship CommonJS alone call `require` for Node's own modules, which ES modules lack.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
    // Names and lines stay, so that a stack trace in a log can be read. Minified, the API's function loads 5
    // of 95 ms sooner (measured), and source maps would take that back wherever a stack is looked at.
    minifySyntax: true,
  });
  return Object.fromEntries(names.map((name) => [name, join(directory, name)])) as FunctionBundles; // every name has just got its folder
}

/**
 * Bundles the page: `main.js` and `main.css` from web/main.tsx.
 * @param directory a folder to write to; it is made.
 * @throws BundleError.
 */
export function bundlePage(directory: string): PageBundle {
  bundle({
    entryPoints: { main: 'web/main.tsx' },
    outdir: directory,
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
    buildSync({
      ...options,
      absWorkingDir: ROOT,
      bundle: true,
      format: 'esm',
      legalComments: 'none',
      charset: 'utf8',
      logLevel: 'silent', // the errors are thrown, and a synth that succeeds says nothing
    });
  } catch (error) {
    const { errors } = error as BuildFailure; // what esbuild documents to throw
    throw new BundleError(formatMessagesSync(errors, { kind: 'error' }).join(''), { cause: error });
  }
}
