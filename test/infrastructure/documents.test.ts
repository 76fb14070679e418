import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { SynthesizedStack } from './synthesized-stack.ts';
import { COMBINATIONS, contextOf } from './variants.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDERS = [
  'protocol',
  'handlers',
  'infrastructure',
  'client',
  'react',
  'command-line',
  'packaging',
  'documents',
  'web',
  'local',
  'bench',
  'test',
  'docs',
  '.ci',
];

const DOCUMENTS = [
  'README.md',
  'ARCHITECTURE.md',
  'CONTRIBUTING.md',
  ...filesIn('docs').filter((file) => file.endsWith('.md')),
];

/** The name of every file of ours, without its folder. */
const FILE_NAMES: ReadonlySet<string> = new Set([
  ...readdirSync(ROOT),
  ...FOLDERS.flatMap((folder) => filesIn(folder).map((file) => file.slice(file.lastIndexOf('/') + 1))),
]);

const SCRIPTS: Readonly<Record<string, string>> = JSON.parse(text('package.json')).scripts;

function text(file: string): string {
  return readFileSync(join(ROOT, file), 'utf8');
}

/** The files below a folder, relative to the project, with `/` between folders. */
function filesIn(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(ROOT.length).replaceAll('\\', '/'));
}

/** A document without its fenced blocks, whose contents are commands and drawings. */
function prose(document: string): string {
  return text(document).replace(/^```.*?^```$/gms, '');
}

/** What stands in backticks. */
function quoted(document: string): string[] {
  return Array.from(prose(document).matchAll(/`([^`\n]+)`/g), ([, content = '']) => content);
}

/** The anchors that GitHub gives the headings of a document. */
function anchorsOf(document: string): string[] {
  return Array.from(prose(document).matchAll(/^#+ +(.+)$/gm), ([, heading = '']) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replace(/\s/g, '-'),
  );
}

describe.each(DOCUMENTS)('%s', (document) => {
  it('names files and folders that exist', () => {
    const paths = quoted(document).filter((word) => FOLDERS.some((folder) => word.startsWith(`${folder}/`)));
    const missing = paths.filter((path) => !/[*{<…]/.test(path) && !existsSync(join(ROOT, path)));
    const names = quoted(document).filter((word) => /^[\w.-]+\.(ts|tsx|cjs|json|css|md)$/.test(word));
    // `index.ts` is named where it is forbidden.
    const unknown = names.filter((name) => !FILE_NAMES.has(name) && name !== 'index.ts');
    expect([...missing, ...unknown]).toEqual([]);
  });

  it('names constants that stand in the file before them', () => {
    const pairs = prose(document).matchAll(/`([\w./-]+\.tsx?)` \(`(\w+)`\)/g);
    const wrong = [...pairs].filter(
      ([, file = '', name = '']) => !new RegExp(`\\b${name}\\b`).test(text(file)),
    );
    expect(wrong.map(([pair]) => pair)).toEqual([]);
  });

  it('names scripts that package.json has', () => {
    const scripts = Array.from(text(document).matchAll(/\bnpm run ([\w:-]+)/g), ([, name = '']) => name);
    expect(scripts.filter((name) => SCRIPTS[name] === undefined)).toEqual([]);
  });

  it('links to what exists', () => {
    const targets = Array.from(prose(document).matchAll(/\]\(([^)\s]+)\)/g), ([, target = '']) => target);
    const broken = targets
      .filter((target) => !/^https?:/.test(target))
      .filter((target) => {
        const [path = '', anchor] = target.split('#');
        const file = path === '' ? document : join(dirname(document), path);
        if (!existsSync(resolve(ROOT, file))) return true;
        return anchor !== undefined && !anchorsOf(file).includes(anchor);
      });
    expect(broken).toEqual([]);
  });
});

describe('docs/operating.md', () => {
  const stacks = COMBINATIONS.map((combination) => new SynthesizedStack(contextOf(combination)));
  const operating = text('docs/operating.md');

  it('has a section for every alarm, and for no other', () => {
    const alarms = new Set(
      stacks.flatMap((stack) =>
        Object.keys(stack.ofType('AWS::CloudWatch::Alarm')).map((path) => path.replace('Alarms/', '')),
      ),
    );
    const [, section = ''] = /^## Alarms$(.*?)^## /ms.exec(operating) ?? [];
    const headings = Array.from(section.matchAll(/^### (\w+)$/gm), ([, heading]) => heading);
    expect(headings.sort()).toEqual([...alarms].sort());
  });

  it('finds exactly one resource wherever it looks one up', () => {
    const lookups = [...operating.matchAll(/\bresource (AWS::[\w:]+) (\w+)/g)];
    expect(lookups.length).toBeGreaterThan(10);
    for (const [lookup, type, prefix = ''] of lookups) {
      const found = stacks.map(
        ({ resources }) =>
          Object.entries(resources).filter(
            ([id, resource]) => resource.Type === type && id.startsWith(prefix),
          ).length,
      );
      // Some are there in some variants only.
      expect(Math.max(...found), lookup).toBe(1);
    }
  });
});
