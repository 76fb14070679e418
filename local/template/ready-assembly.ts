import { createHash, randomUUID } from 'node:crypto';
import { access, cp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { HOST } from '../services/running-service.ts';

/** Stands in the assemblies for the broker's port, which each start chooses anew. Nothing listens there. */
const ANY_BROKER = 65_535;

/** Which assembly is wanted, and how it is made where nobody has made it yet. */
export interface ReadyAssemblySettings {
  /** The folder that holds an assembly for each context. */
  readonly assemblies: string;
  readonly context: Readonly<Record<string, string>>;
  /** The port of this start's broker. */
  readonly broker: number;
  /** Synthesizes into a folder, for a broker at that port. */
  readonly make: (folder: string, brokerPort: number) => Promise<void>;
}

/**
 * Copies the assembly of that context to a folder. It is synthesized once, however many processes want it.
 * @throws whatever `make` throws.
 */
export async function copyReadyAssembly(settings: ReadyAssemblySettings, target: string): Promise<void> {
  const { assemblies, context, broker, make } = settings;
  const entries = Object.entries(context).sort(([one], [other]) => (one < other ? -1 : 1));
  const name = createHash('sha256').update(JSON.stringify(entries)).digest('hex').slice(0, 16);
  const ready = path.join(assemblies, name);
  if (!(await exists(ready))) {
    const unfinished = path.join(assemblies, `${name}-${randomUUID()}`);
    try {
      await make(unfinished, ANY_BROKER);
      await rename(unfinished, ready);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      // Another start was quicker: a folder that holds something is not replaced.
      if (!(await exists(ready))) throw error;
    }
  }
  await cp(ready, target, { recursive: true });
  await replacePort(target, broker);
}

/** The broker is named in the template, and in the page, which may connect to nobody else. */
async function replacePort(folder: string, broker: number): Promise<void> {
  const any = `${HOST}:${ANY_BROKER}`;
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    const bytes = await readFile(file);
    if (!bytes.includes(any)) continue;
    await writeFile(file, bytes.toString('utf8').replaceAll(any, `${HOST}:${broker}`));
  }
}

async function exists(folder: string): Promise<boolean> {
  return await access(folder).then(
    () => true,
    () => false,
  );
}
