import { readFile } from 'node:fs/promises';
import path from 'node:path';
import * as v from 'valibot';
import { StartError } from '../errors.ts';
import { parseTemplate, type Template } from './template.ts';

const ManifestSchema = v.object({
  artifacts: v.record(
    v.string(),
    v.object({
      type: v.string(),
      properties: v.optional(v.looseObject({ templateFile: v.optional(v.string()) })),
    }),
  ),
});

const AssetsSchema = v.object({
  files: v.record(
    v.string(),
    v.object({
      source: v.object({ path: v.string(), packaging: v.string() }),
      destinations: v.record(v.string(), v.object({ objectKey: v.string() })),
    }),
  ),
});

/** What `cdk synth` leaves behind: one stack's template, and where its assets lie. */
export interface Assembly {
  readonly stackName: string;
  readonly template: Template;
  /** Absolute path of the file or folder that is uploaded under an object key of the assets bucket. */
  readonly assets: ReadonlyMap<string, string>;
}

/**
 * Reads a cloud assembly of one stack.
 * @throws StartError when there is none, or more than one stack.
 */
export async function readAssembly(directory: string): Promise<Assembly> {
  const manifest = v.parse(ManifestSchema, await readJson(path.join(directory, 'manifest.json')));
  const stacks = Object.entries(manifest.artifacts).filter(
    ([, { type }]) => type === 'aws:cloudformation:stack',
  );
  const [stack] = stacks;
  const templateFile = stack?.[1].properties?.templateFile;
  if (stack === undefined || stacks.length > 1 || templateFile === undefined) {
    throw new StartError(`The assembly in ${directory} must hold one stack; it holds ${stacks.length}`);
  }
  const [stackName] = stack;
  const template = parseTemplate(await readJson(path.join(directory, templateFile)));
  const { files } = v.parse(AssetsSchema, await readJson(path.join(directory, `${stackName}.assets.json`)));
  const assets = new Map<string, string>();
  for (const { source, destinations } of Object.values(files)) {
    for (const { objectKey } of Object.values(destinations))
      assets.set(objectKey, path.resolve(directory, source.path));
  }
  return { stackName, template, assets };
}

async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (cause) {
    throw new StartError(`${file} cannot be read`, { cause });
  }
}
