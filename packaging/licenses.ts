import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';

const ManifestSchema = v.object({
  name: v.string(),
  version: v.string(),
  license: v.optional(v.string()),
});

/**
 * The licences of packages whose code is part of a bundle: most ask that their text goes with every copy. Each text
 * stands there once.
 * @param folders those of the packages, from `root`, in any order
 */
export async function thirdPartyLicenses(root: string, folders: readonly string[]): Promise<string> {
  const namesByText = new Map<string, string[]>();
  for (const each of [...new Set(folders)].sort()) {
    const folder = path.join(root, each);
    const manifest: unknown = JSON.parse(await readFile(path.join(folder, 'package.json'), 'utf8'));
    const { name, version, license = 'see its page' } = v.parse(ManifestSchema, manifest);
    const file = (await readdir(folder)).find((found) => /^licen[cs]e(\.|$)/i.test(found));
    const text = file === undefined ? '' : (await readFile(path.join(folder, file), 'utf8')).trim();
    const names = namesByText.get(text) ?? [];
    namesByText.set(text, [...names, `${name} ${version} (${license})`]);
  }
  const parts = [...namesByText].map(([text, names]) => `${names.join('\n')}\n\n${text}\n`);
  return `This package contains code of the following packages.\n\n${parts.join(`\n${'-'.repeat(72)}\n\n`)}`;
}
