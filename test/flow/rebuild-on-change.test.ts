import { cp, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Endpoints } from '../../local/state-directory.ts';
import { freePorts } from './free-ports.ts';
import { problemOf, takeTicket } from './http-calls.ts';
import { PROJECT } from './running-jobwire.ts';
import { SocketProbe } from './socket-probe.ts';
import { type DrivenCommand, startCommand, whenReady } from './start-command.ts';

/** What is started, so that this project's own sources are left alone. */
const SOURCES = [
  ...['protocol', 'handlers', 'infrastructure', 'client', 'web', 'local'],
  ...['cdk.json', 'package.json', 'tsconfig.json'],
];

const TITLE = 'There is no such thing';

let project: string;
let command: DrivenCommand;
let endpoints: Endpoints;

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'jobwire-copy-'));
  for (const source of SOURCES) {
    await cp(path.join(PROJECT, source), path.join(project, source), { recursive: true });
  }
  await symlink(path.join(PROJECT, 'node_modules'), path.join(project, 'node_modules'), 'junction');
  const port = String(await freePorts());
  command = startCommand(['--port', port], { directory: project });
  endpoints = await whenReady(command, path.join(project, '.jobwire'));
});
afterAll(async () => {
  command.signal('SIGTERM');
  expect(await command.end()).toBe(0);
  await rm(project, { recursive: true, force: true });
});

/** Saves a source with one text replaced, waits for a line of the log, and answers what was printed until then. */
async function change(file: string, from: string, to: string, line: RegExp): Promise<string> {
  const mark = command.output.length;
  const source = path.join(project, file);
  const text = await readFile(source, 'utf8');
  expect(text).toContain(from);
  await writeFile(
    source,
    text.replace(from, () => to),
  );
  const { index, 0: found } = await command.printed(line, mark);
  return command.output.slice(mark, mark + index + found.length);
}

async function titleOfMissingJob(): Promise<string> {
  return (await problemOf(await fetch(`${endpoints.api}/jobs/job_01J00000000000000000000000`))).title;
}

it('follows a change of a source, and keeps connections open', async () => {
  const { url, protocols } = await takeTicket(endpoints.api);
  const probe = await SocketProbe.connect(url, protocols);
  probe.send({ type: 'ping', id: 'before' });
  await probe.frame((frame) => frame.type === 'pong' && frame.id === 'before');
  expect(await titleOfMissingJob()).toBe(TITLE);

  const printed = await change('protocol/error-codes.ts', TITLE, 'Nothing like it', /restarted: .*\n/);
  expect(printed).toContain(`changed: ${path.join('protocol', 'error-codes.ts')}\n`);
  expect(printed).toMatch(/restarted: .*HttpApi\/Handler/);
  expect(printed).toMatch(/restarted: .*SocketRoutes\/Socket/);
  expect(await titleOfMissingJob()).toBe('Nothing like it');

  probe.send({ type: 'ping', id: 'after' });
  await probe.frame((frame) => frame.type === 'pong' && frame.id === 'after');
  // The function that answers is the new one.
  probe.send({ type: 'subscribe', id: 'none', job: 'job_01J00000000000000000000000' });
  const refused = await probe.frame((frame) => frame.type === 'error');
  expect(refused).toMatchObject({ error: { code: 'not-found', title: 'Nothing like it' } });
  await probe.close();
});

it('serves the page anew, and restarts no function for it', async () => {
  const printed = await change('web/index.html', '<title>Jobwire', '<title>Wired', /the page is new.*\n/);
  expect(printed).not.toContain('restarted');
  expect(await (await fetch(endpoints.dashboard)).text()).toContain('<title>Wired</title>');
});

it('says where a source is wrong, runs on, and follows when it is mended', async () => {
  const file = 'handlers/api/api.lambda.ts';
  await change(file, 'import ', 'const broken = ;\nimport ', /what ran before goes on running\n/);
  const mistake = await command.printed(/\[ERROR\] (.*)\n\n\s+(\S+):(\d+):(\d+):\n/);
  expect(mistake.slice(1)).toEqual(['Unexpected ";"', file, '1', '15']);
  expect(command.output).not.toMatch(/^\s+at .+:\d+:\d+\)?$/m);
  expect(await titleOfMissingJob()).toBe('Nothing like it');

  const mended = await change(
    file,
    'const broken = ;\n',
    'process.env["MENDED"] = "yes";\n',
    /restarted: .*\n/,
  );
  expect(mended).toMatch(/restarted: HttpApi\/Handler\n$/);
  expect(await titleOfMissingJob()).toBe('Nothing like it');
});
