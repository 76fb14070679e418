import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CRUISER = join(ROOT, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruiser.mjs');
const CONFIGURATION = join(ROOT, '.dependency-cruiser.cjs');

/** Files that keep the laws, so that each case below breaks one. */
const LAWFUL: Readonly<Record<string, string>> = {
  'protocol/job.ts':
    "import * as v from 'valibot'; export const JobSchema = v.string(); export type Job = string;",
  'handlers/ports.ts': "import type { Job } from '../protocol/job.ts'; export type Jobs = Job[];",
  'handlers/errors.ts': 'export class HandlerError extends Error {}',
  'handlers/environment.ts': 'export const VARIABLES = {};',
  'handlers/api/api.ts': "import type { Jobs } from '../ports.ts'; export const jobs: Jobs = [];",
  'handlers/api/api.lambda.ts':
    "import { jobs } from './api.ts'; import { Table } from '../aws/table.ts'; export const handler = () => [jobs, Table];",
  'handlers/publish/publish.ts': 'export type Publish = 1; export const publish = 1;',
  'handlers/aws/table.ts':
    "import { SQSClient } from '@aws-sdk/client-sqs'; export class Table extends SQSClient {}",
  'handlers/memory/table.ts': 'export class Table {}',
  'infrastructure/stack.ts':
    "import { VARIABLES } from '../handlers/environment.ts'; export const names = VARIABLES;",
  'client/client.ts': "import { JobSchema } from '../protocol/job.ts'; export const client = JobSchema;",
  'web/page.ts': "import { client } from '../client/client.ts'; export const page = client;",
  'react/use-job.ts':
    "import { useMemo } from 'react'; import { client } from '../client/client.ts'; export const use = [useMemo, client];",
  'command-line/main.ts':
    "import 'node:fs'; import { client } from '../client/client.ts'; export const main = client;",
  'documents/main.ts': "export { JobSchema } from '../protocol/job.ts';",
  'packaging/entries/client.ts': "export { client } from '../../client/client.ts';",
  'local/runtime.ts': 'export const runtime = 1;',
  'test/api.test.ts': "import { Table } from '../handlers/memory/table.ts'; export const table = Table;",
};

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jobwire-laws-'));
  symlinkSync(join(ROOT, 'node_modules'), join(directory, 'node_modules'), 'junction');
  write(
    'package.json',
    JSON.stringify({
      dependencies: { '@aws-sdk/client-sqs': '*', valibot: '*' },
      devDependencies: { ws: '*', react: '*' },
    }),
  );
  for (const [file, source] of Object.entries(LAWFUL)) write(file, source);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function write(file: string, source: string): void {
  mkdirSync(dirname(join(directory, file)), { recursive: true });
  writeFileSync(join(directory, file), `${source}\n`);
}

/** What the cruiser reports of an import that breaks a law. */
interface Violation {
  readonly from: string;
  readonly to: string;
  readonly rule: { readonly name: string };
}

/** Every import that breaks a law. */
function violations(): readonly Violation[] {
  const folders = [...new Set(Object.keys(LAWFUL).map((file) => file.slice(0, file.indexOf('/'))))];
  const { stdout, stderr } = spawnSync(
    process.execPath,
    [CRUISER, '--config', CONFIGURATION, '--output-type', 'json', ...folders],
    { cwd: directory, encoding: 'utf8' },
  );
  expect(stderr).toBe('');
  const report: unknown = JSON.parse(stdout);
  return (report as { summary: { violations: Violation[] } }).summary.violations; // the cruiser's format
}

/** Imports that break laws: the law, where, and a line to add there. */
const UNLAWFUL: readonly (readonly [law: string, file: string, source: string])[] = [
  [
    'protocol-is-pure',
    'protocol/job.ts',
    "import type { Jobs } from '../handlers/errors.ts'; export type J = Jobs;",
  ],
  ['client-stands-alone', 'client/client.ts', "export * from '../handlers/errors.ts';"],
  [
    'web-imports-client-and-protocol',
    'web/page.ts',
    "export const later = () => import('../handlers/errors.ts');",
  ],
  ['web-runs-in-a-browser', 'web/page.ts', "import 'node:fs';"],
  [
    'stage-imports-no-other-stage',
    'handlers/api/api.ts',
    "import type { Publish } from '../publish/publish.ts'; export type P = Publish;",
  ],
  ['stage-imports-no-other-stage', 'handlers/api/api.ts', "export { Table } from '../aws/table.ts';"],
  [
    'stage-does-not-know-aws',
    'handlers/api/api.ts',
    "import { type SQSClient } from '@aws-sdk/client-sqs'; export type S = SQSClient;",
  ],
  ['aws-imports-ports', 'handlers/aws/table.ts', "export { publish } from '../publish/publish.ts';"],
  ['ports-import-protocol', 'handlers/errors.ts', "export { publish } from './publish/publish.ts';"],
  [
    'lambda-wires-its-own-stage',
    'handlers/api/api.lambda.ts',
    "export { publish } from '../publish/publish.ts';",
  ],
  ['nobody-imports-a-lambda', 'test/api.test.ts', "export { handler } from '../handlers/api/api.lambda.ts';"],
  ['memory-is-for-tests', 'handlers/api/api.lambda.ts', "export { Table } from '../memory/table.ts';"],
  [
    'infrastructure-imports-variable-names',
    'infrastructure/stack.ts',
    "import type { Jobs } from '../handlers/ports.ts'; export type J = Jobs;",
  ],
  ['local-reads-the-template', 'local/runtime.ts', "export { JobSchema } from '../protocol/job.ts';"],
  ['nobody-imports-tests', 'local/runtime.ts', "export { table } from '../test/api.test.ts';"],
  [
    'no-cycles',
    'handlers/environment.ts',
    "import type { V } from './environment-names.ts'; export type E = V;",
  ],
  ['no-rooms-without-a-name', 'local/runtime.ts', "export { helper } from './helpers.ts';"],
  ['react-stands-on-client', 'react/use-job.ts', "export * from '../web/page.ts';"],
  ['react-runs-in-a-browser', 'react/use-job.ts', "import 'node:fs';"],
  ['command-imports-client-and-protocol', 'command-line/main.ts', "export * from '../local/runtime.ts';"],
  ['package-shows-what-is-public', 'packaging/entries/client.ts', "export * from '../../web/page.ts';"],
  ['documents-tell-the-protocol', 'documents/main.ts', "export { jobs } from '../handlers/api/api.ts';"],
  ['nobody-imports-the-documents', 'web/page.ts', "export { JobSchema } from '../documents/main.ts';"],
  ['nobody-imports-the-packaging', 'web/page.ts', "export * from '../packaging/entries/client.ts';"],
  ['handlers-takes-named-packages', 'handlers/api/api.ts', "export { default } from 'ws';"],
  ['command-line-takes-named-packages', 'command-line/main.ts', "export { default } from 'ws';"],
  ['no-undeclared-dependency', 'handlers/api/api.ts', "export { Hono } from 'hono';"],
  ['everything-resolves', 'handlers/api/api.ts', "import './nowhere.ts';"],
];

describe('import laws', () => {
  it('hold where they are kept', () => {
    expect(violations()).toEqual([]);
  });

  it('are seen wherever they are broken', () => {
    // All at once, because a start of the cruiser takes longer than its look at these files.
    write('handlers/environment-names.ts', "import type { E } from './environment.ts'; export type V = E;");
    write('local/helpers.ts', 'export const helper = 1;');
    for (const file of new Set(UNLAWFUL.map(([, file]) => file))) {
      const lines = UNLAWFUL.filter(([, where]) => where === file).map(([, , source]) => source);
      write(file, [LAWFUL[file], ...lines].join('\n'));
    }
    const seen = violations();
    const missed = UNLAWFUL.filter(([law, file, source]) => {
      const target = /'(?:node:)?(?:[^']*\/)?([^'/]+)'/.exec(source)?.[1] ?? 'an import';
      const isBetween = (one: string, other: string) => one === file && other.includes(target);
      // A cycle is told from either of its ends.
      return !seen.some(
        ({ from, to, rule }) => rule.name === law && (isBetween(from, to) || isBetween(to, from)),
      );
    });
    expect(missed).toEqual([]);
  });
});
