import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const WEB = fileURLToPath(new URL('../../web/', import.meta.url));

let bundle: Promise<ReadonlyMap<string, Uint8Array>> | undefined;

/** The page's files by path, bundled as the deployment does; once for all that ask in one process. */
export function bundledPage(): Promise<ReadonlyMap<string, Uint8Array>> {
  bundle ??= bundlePage();
  return bundle;
}

async function bundlePage(): Promise<ReadonlyMap<string, Uint8Array>> {
  const { outputFiles } = await build({
    entryPoints: [`${WEB}main.tsx`],
    outdir: WEB,
    bundle: true,
    minify: true,
    format: 'esm',
    target: 'es2022',
    jsx: 'automatic',
    jsxImportSource: 'preact',
    write: false,
  });
  return new Map(
    outputFiles.map((file) => [file.path.endsWith('.css') ? '/main.css' : '/main.js', file.contents]),
  );
}
