import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleCommand, bundleModules } from './bundle.ts';
import { thirdPartyLicenses } from './licenses.ts';
import { emitTypes } from './types.ts';

/**
 * `npm run build`: makes `dist/`, all that the package holds beside README, LICENSE and documents. The package needs no
 * other at run time, nor for its types (docs/decisions/0014-one-package.md).
 */
const ROOT = fileURLToPath(new URL('..', import.meta.url));
const DIST = path.join(ROOT, 'dist');

await rm(DIST, { recursive: true, force: true });
const [modules, command] = await Promise.all([
  bundleModules(ROOT, DIST),
  bundleCommand(ROOT, path.join(DIST, 'command-line')),
  emitTypes(ROOT, path.join(DIST, 'types')),
]);
const licenses = await thirdPartyLicenses(ROOT, [...modules, ...command, 'node_modules/valibot']);
await writeFile(path.join(DIST, 'THIRD-PARTY-LICENSES.txt'), licenses);

let bytes = 0;
for (const entry of await readdir(DIST, { recursive: true, withFileTypes: true })) {
  if (entry.isFile()) bytes += (await readFile(path.join(entry.parentPath, entry.name))).length;
}
console.log(`dist/ has ${(bytes / 1000).toFixed(0)} kB.`);
