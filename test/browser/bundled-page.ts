import path from 'node:path';
import { build } from 'esbuild';
import { pageBuildOptions } from '../../infrastructure/bundles.ts';

/** Nothing is written there. */
const DIRECTORY = path.resolve('page');

let bundle: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

/** The page's files by path, bundled as the deployment does; once for all that ask in one process. */
export function bundledPage(): Promise<ReadonlyMap<string, Uint8Array>> {
  bundle ??= bundlePage();
  return bundle;
}

async function bundlePage(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles = [] } = await build({ ...pageBuildOptions(DIRECTORY), write: false });
  return new Map(
    outputFiles.map((file) => [
      `/${path.relative(DIRECTORY, file.path).replaceAll(path.sep, '/')}`,
      file.contents,
    ]),
  );
}
