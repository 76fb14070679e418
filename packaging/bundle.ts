import { type BuildOptions, build, type Metafile } from 'esbuild';

/**
 * Bundles what is imported: `client.js`, `react.js`, `protocol.js` and what they share. A class is the same in all
 * three, so that `instanceof` holds between them. No file with schemas may be among what `client/` and `react/`
 * import: bundlers keep schemas that nobody uses, and with them Valibot (test/packaging/size.test.ts).
 *
 * Names and lines are left, for stack traces: whoever builds an application takes them away. The syntax alone is
 * shortened, because that writes constants where they are used, which no later build can do across our files.
 * @returns the folders of the packages that were bundled, from `root`
 */
export async function bundleModules(root: string, directory: string): Promise<readonly string[]> {
  return await bundle(root, {
    entryPoints: {
      client: 'packaging/entries/client.ts',
      react: 'packaging/entries/react.ts',
      protocol: 'packaging/entries/protocol.ts',
      // Loaded by the client when it is wanted; by this name, because a hash would weigh in every application.
      'shared/iot': 'client/broadcast.ts',
    },
    outdir: directory,
    // Browsers and Node alike: an import of a module of Node would be an error.
    platform: 'neutral',
    mainFields: ['module', 'main'],
    target: 'es2022',
    minifySyntax: true,
    external: ['react'],
  });
}

/**
 * Bundles the command. CloudFormation's client lies in files of its own, which are read for `--stack` alone.
 * @returns the folders of the packages that were bundled, from `root`
 */
export async function bundleCommand(root: string, directory: string): Promise<readonly string[]> {
  return await bundle(root, {
    entryPoints: ['command-line/main.ts'],
    outdir: directory,
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node22',
    minify: true,
    // Dependencies that ship CommonJS alone call `require` for Node's own modules, which ES modules lack.
    banner: {
      js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
    },
  });
}

async function bundle(root: string, options: BuildOptions): Promise<readonly string[]> {
  const { metafile } = await build({
    absWorkingDir: root,
    bundle: true,
    format: 'esm',
    splitting: true,
    chunkNames: 'shared/[name]-[hash]',
    legalComments: 'none', // THIRD-PARTY-LICENSES.txt has the whole licences
    logLevel: 'warning',
    ...options,
    metafile: true,
  });
  return packagesOf(metafile);
}

function packagesOf(metafile: Metafile): readonly string[] {
  const packages = new Set<string>();
  for (const { inputs } of Object.values(metafile.outputs)) {
    for (const input of Object.keys(inputs)) {
      const folder = /.*node_modules\/(?:@[^/]+\/)?[^/]+(?=\/)/.exec(input)?.[0];
      if (folder !== undefined) packages.add(folder);
    }
  }
  return [...packages];
}
