import { execFile } from 'node:child_process';
import { copyFile, readdir, readFile, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Writes the declarations of everything that the package exports. The contract's types are inferred by Valibot
 * from its schemas, so Valibot's own declarations are part of them and lie beside them.
 * @throws Error with the compiler's output when a source does not compile.
 */
export async function emitTypes(root: string, directory: string): Promise<void> {
  const require = createRequire(path.join(root, 'package.json'));
  const compiler = path.join(path.dirname(require.resolve('typescript/package.json')), 'bin', 'tsc');
  try {
    await run(process.execPath, [
      compiler,
      '-p',
      path.join(root, 'packaging', 'entries'),
      '--outDir',
      directory,
    ]);
  } catch (cause) {
    // tsc tells what is wrong on its output, not by its error.
    const output = cause instanceof Error && 'stdout' in cause ? String(cause.stdout) : '';
    throw new Error(`the declarations could not be made:\n${output}`, { cause });
  }
  const vendored = path.join(directory, 'valibot.d.ts');
  await copyFile(path.join(root, 'node_modules', 'valibot', 'dist', 'index.d.mts'), vendored);
  for (const entry of await readdir(directory, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    if (entry.isFile() && file !== vendored) await rewriteImports(file, vendored);
  }
}

/**
 * Sources import each other by `.ts`, which the compiler leaves as it is in declarations, and Valibot by its name.
 */
async function rewriteImports(file: string, vendored: string): Promise<void> {
  const text = await readFile(file, 'utf8');
  const toVendored = path.relative(path.dirname(file), vendored).split(path.sep).join('/');
  const specifier = toVendored.startsWith('.') ? toVendored : `./${toVendored}`;
  await writeFile(
    file,
    text
      .replaceAll(/((?:from|import\()\s*['"]\.{1,2}\/[^'"]+)\.ts(['"])/g, '$1.js$2')
      .replaceAll(/((?:from|import\()\s*['"])valibot(['"])/g, `$1${specifier.replace(/\.d\.ts$/, '.js')}$2`),
  );
}
