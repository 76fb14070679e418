import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { createReadStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Browser } from 'playwright-core';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { jobFrame } from '../../protocol/frames.ts';
import { launchBrowser } from '../browser/launch.ts';
import { JobBroker } from '../client/job-broker.ts';
import { sampleJob } from '../client/sample-job.ts';
import { createJob, terminalJob, upload } from '../flow/http-calls.ts';
import { csvRows } from '../flow/large-csv.ts';
import { PROJECT, type RunningJobwire, startJobwire } from '../flow/running-jobwire.ts';

const run = promisify(execFile);

let jobwire: RunningJobwire;
let browser: Browser;
/** A fresh project that has installed the tarball and React, and nothing else. */
let project: string;
/** A page of somebody else, whose origin the API knows. */
let site: Site;
let packed: { readonly files: readonly string[]; readonly tarball: string };

beforeAll(async () => {
  project = await mkdtemp(path.join(tmpdir(), 'jobwire-package-'));
  site = new Site();
  await site.listen();
  const origins = new URL(site.url).origin;
  [jobwire, browser] = await Promise.all([startJobwire({ origins }), launchBrowser(), install()]);
});
afterAll(async () => {
  await Promise.all([jobwire.close(), browser.close(), site.close()]);
  await rm(project, { recursive: true, force: true });
});

/** `npm pack`, and `npm install` of what came out, without a network. */
async function install(): Promise<void> {
  const npm = process.platform === 'win32' ? 'npm.cmd' : 'npm';
  const shell = process.platform === 'win32'; // a .cmd is run by a shell alone
  const { stdout } = await run(npm, ['pack', '--json', '--pack-destination', project], {
    cwd: PROJECT,
    shell,
  });
  packed = readPacked(stdout);
  await writeFile(path.join(project, 'package.json'), '{"name":"fresh","private":true,"type":"module"}');
  const options = ['--offline', '--no-audit', '--no-fund'];
  await run(npm, ['install', path.join(project, packed.tarball), ...options], { cwd: project, shell });
  await borrow('react', '@types/react', 'csstype');
}

/** npm prints what it ran before it prints its JSON. */
function readPacked(output: string): typeof packed {
  const [entry] = JSON.parse(output.slice(output.indexOf('[\n'))) as [
    // npm's own format
    { readonly filename: string; readonly files: readonly { readonly path: string }[] },
  ];
  return { tarball: entry.filename, files: entry.files.map((file) => file.path) };
}

/** Lets the fresh project have a package of this one, as if it had been installed there. */
async function borrow(...names: string[]): Promise<void> {
  for (const name of names) {
    const target = path.join(project, 'node_modules', name);
    await mkdir(path.dirname(target), { recursive: true });
    await symlink(path.join(PROJECT, 'node_modules', name), target, 'junction');
  }
}

describe('the package', () => {
  it('holds what is built, README, LICENSE and what is written for clients, and depends on nothing', async () => {
    const unexpected = packed.files.filter(
      (file) => !/^(dist\/|docs\/|package\.json$|README\.md$|LICENSE$)/.test(file),
    );
    expect(unexpected).toEqual([]);
    expect(packed.files.filter((file) => file.startsWith('docs/')).sort()).toEqual([
      'docs/asyncapi.json',
      'docs/client.md',
      'docs/openapi.json',
      'docs/protocol.md',
    ]);
    expect(packed.files).toContain('dist/THIRD-PARTY-LICENSES.txt');
    const lock: unknown = JSON.parse(await readFile(path.join(project, 'package-lock.json'), 'utf8'));
    expect(Object.keys((lock as { packages: object }).packages)).toEqual(['', 'node_modules/jobwire']); // npm's own format
  });

  it('has no fault that publint knows', async () => {
    const pkgDir = path.join(project, 'node_modules', 'jobwire');
    const { messages, pkg } = await publint({ pkgDir, pack: false, level: 'warning', strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  it('imports as ES modules, and its parts share their classes', async () => {
    const script = `
      import { createJobwireClient, ProblemError, isTerminal } from 'jobwire/client';
      import { useJob, JobwireProvider } from 'jobwire/react';
      import { JobSchema, parse, InvalidError, isTerminal as same } from 'jobwire/protocol';
      const client = createJobwireClient({ api: '${jobwire.api}' });
      const page = await client.list();
      let refusal;
      try { parse('it', JobSchema, {}); } catch (error) { refusal = error instanceof InvalidError; }
      console.log(JSON.stringify([
        page.jobs, typeof useJob, typeof JobwireProvider, refusal, isTerminal === same, ProblemError.name,
      ]));`;
    await writeFile(path.join(project, 'import.js'), script);
    const { stdout } = await run(process.execPath, ['import.js'], { cwd: project });
    expect(JSON.parse(stdout)).toEqual([[], 'function', 'function', true, true, 'ProblemError']);
  });

  it.each([
    ['node16', 'node16'],
    ['esnext', 'bundler'],
  ])('has types that resolve: module %s, resolution %s', async (module, moduleResolution) => {
    const folder = path.join(project, `types-${moduleResolution}`);
    await mkdir(folder);
    const compilerOptions = {
      module,
      moduleResolution,
      target: 'es2022',
      lib: ['es2024', 'dom', 'dom.iterable', 'dom.asynciterable'],
      types: [],
      strict: true,
      exactOptionalPropertyTypes: true,
      noEmit: true,
      skipLibCheck: false, // the package's own declarations are under test
    };
    await writeFile(
      path.join(folder, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, include: ['*.ts'] }),
    );
    await writeFile(path.join(folder, 'sample.ts'), SAMPLE);
    const compiler = path.join(PROJECT, 'node_modules', 'typescript', 'bin', 'tsc');
    const { stdout } = await run(process.execPath, [compiler, '-p', folder], { cwd: folder }).catch(
      (error: { stdout: string }) => error,
    );
    expect(stdout).toBe('');
  });
});

/** Uses that fail to compile if a type of the package were `any`, or were not there. */
const SAMPLE = `
import { createJobwireClient, type ConnectionState, type Job, type JobwireClient } from 'jobwire/client';
import { JobwireProvider, useJob, type UsedJob } from 'jobwire/react';
import { JobSchema, parse, type Status } from 'jobwire/protocol';

const client: JobwireClient = createJobwireClient({ api: 'https://api.example.com' });
export async function watch(id: string): Promise<Status> {
  for await (const job of client.watchJob(id)) console.log(job.progress?.fraction.toFixed(2));
  const job: Job = await client.watchJob(id).finished();
  // @ts-expect-error: a job has no such field
  job.percentage;
  return job.status;
}
export const parsed: Job = parse('the job', JobSchema, {});
// @ts-expect-error: a number is no status
export const status: Status = parsed.seq;
export function used(id: string): [UsedJob, ConnectionState] {
  const result = useJob(id, { throttleMs: 100 });
  return [result, result.connection];
}
export const provider = JobwireProvider({ client });
`;

describe('the packed command', () => {
  it('submits a file by npx', async () => {
    await writeFile(path.join(project, 'cities.csv'), csvRows(1_000));
    const npx = process.platform === 'win32' ? 'npx.cmd' : 'npx';
    const { stdout, stderr } = await run(npx, ['--no-install', 'jobwire', 'submit', 'cities.csv'], {
      cwd: project,
      shell: process.platform === 'win32',
      // npx takes the first node of the path: the one that runs this test.
      env: {
        ...process.env,
        PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH']}`,
        JOBWIRE_API: jobwire.api,
      },
    });
    expect(stderr).toContain('1,000 rows');
    const result = await fetch(stdout.trim());
    expect(await result.json()).toMatchObject({ rows: 1_000 });
  });
});

describe('the client of dist/', () => {
  it('watches a job from the five lines of docs/client.md, on a host that has nothing but files', async () => {
    const page = await readFile(path.join(PROJECT, 'docs', 'client.md'), 'utf8');
    const recipe = /A page without a build step:\s+```html\n(.*?)\n```/s.exec(page)?.[1] ?? '';
    expect(recipe.split('\n')).toHaveLength(5);
    expect(recipe).toContain("'http://127.0.0.1:8401'");
    site.html = recipe.replace('http://127.0.0.1:8401', jobwire.api);
    const csv = 'city,people\nUlm,128000\n';
    const created = await createJob(jobwire.api, { size: csv.length });
    const tab = await browser.newPage();
    const faults: string[] = [];
    tab.on('pageerror', (error) => faults.push(String(error)));
    tab.on('console', (message) => message.type() === 'error' && faults.push(message.text()));
    const socket = tab.waitForEvent('websocket');
    await tab.goto(`${site.url}#${created.job.id}`);
    await (await socket).waitForEvent('framereceived');
    expect((await upload(created, csv)).status).toBe(200);
    const bar = () => tab.evaluate(`document.querySelector('progress').value`);
    await expect.poll(bar, { timeout: 30_000 }).toBe(1);
    expect(faults).toEqual([]);
  });
});

describe('an upload in parts by the client of dist/', () => {
  it('goes on where it was when its page is loaded again', async () => {
    const csv = path.join(project, 'parts.csv');
    await writeFile(csv, Buffer.alloc(9 * 1024 ** 2, 'a,b\n')); // two parts: 8 MiB, and one
    site.html = `<!doctype html><input type="file"><script type="module">
      import { createJobwireClient } from './dist/client.js';
      const client = createJobwireClient({ api: '${jobwire.api}' });
      document.querySelector('input').onchange = async ({ target }) => {
        const options = { kind: 'csv-profile', upload: 'multipart', parallel: 1 };
        const upload = client.uploadJob(target.files[0], options);
        window.id = await upload.id;
        await upload.done;
        window.stored = true;
      };</script>`;
    const tab = await browser.newPage();
    const sent: string[] = [];
    let held = () => {};
    const second = new Promise<void>((resolve) => {
      held = resolve;
    });
    let holds = true;
    await tab.route(/[?&]partNumber=/, async (route) => {
      const part = new URL(route.request().url()).searchParams.get('partNumber');
      sent.push(`${route.request().method()} ${part}`);
      if (holds && part === '2') held();
      else await route.continue();
    });
    await tab.goto(site.url);
    await tab.setInputFiles('input', csv);
    await second;
    const id = await tab.evaluate('id');
    const kept = 'Object.keys(localStorage).filter((key) => key.startsWith("jobwire.upload:")).length';
    expect(await tab.evaluate(kept)).toBe(1);
    holds = false;
    await tab.reload();
    await tab.setInputFiles('input', csv);
    await tab.waitForFunction('window.stored');
    expect(await tab.evaluate('id')).toBe(id);
    const parts = sent.filter((request) => request.startsWith('PUT'));
    expect(parts).toEqual(['PUT 1', 'PUT 2', 'PUT 2']);
    expect(await tab.evaluate(kept)).toBe(0);
    expect((await terminalJob(jobwire.api, String(id))).input?.size).toBe(9 * 1024 ** 2);
  });
});

describe('the part of dist/ that hears broadcasts', () => {
  it('is loaded when it is wanted, and speaks to a broker from a browser', async () => {
    const broker = await JobBroker.start();
    onTestFinished(() => broker[Symbol.asyncDispose]());
    const { id } = sampleJob(1);
    const protocols = ['jobwire.v1', 'ticket.t'];
    const ticket = { url: 'ws://127.0.0.1:9/', ticket: 't', protocols, broadcast: broker.grant('t', id) };
    const tab = await browser.newPage();
    const loaded: string[] = [];
    tab.on('request', (request) => loaded.push(path.posix.basename(new URL(request.url()).pathname)));
    site.html = '<!doctype html>';
    await tab.goto(site.url);
    await tab.evaluate(`(async () => {
      const { createWatchClient } = await import('./dist/client.js');
      const fetch = async (url, { method }) => Response.json(${JSON.stringify([ticket, sampleJob(1)])}[method ? 0 : 1]);
      const client = createWatchClient({ api: 'http://127.0.0.1:9', fetch });
      window.told = [];
      window.watch = (via) => client.watchJob('${id}', { via }).on(({ job, connection, error }) =>
        told.push(job?.seq ?? connection?.status ?? String(error)));
    })()`);
    expect(loaded).not.toContain('iot.js');
    await tab.evaluate(`watch('iot')`);
    await expect.poll(() => tab.evaluate('told'), { timeout: 10_000 }).toEqual(['live', 1]);
    expect(loaded).toContain('iot.js');
    broker.publish(id, JSON.stringify(jobFrame(sampleJob(2, 'succeeded'))));
    await expect.poll(() => tab.evaluate('told'), { timeout: 10_000 }).toEqual(['live', 1, 2, 'closed']);
    await expect.poll(() => broker.open).toBe(0);
  });
});

/** A plain server of files, whose index is a page of the test's. */
class Site {
  html = '';
  readonly #server = createServer((request, response) => {
    if (request.url === '/') {
      response.setHeader('content-type', 'text/html').end(this.html);
      return;
    }
    response.setHeader('content-type', 'text/javascript');
    createReadStream(path.join(project, 'node_modules', 'jobwire', request.url ?? ''))
      .on('error', () => response.writeHead(404).end())
      .pipe(response);
  });

  async listen(): Promise<void> {
    this.#server.listen(0, '127.0.0.1');
    await once(this.#server, 'listening');
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    return `http://127.0.0.1:${port}/`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
