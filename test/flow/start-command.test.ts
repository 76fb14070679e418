import { access, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { HELP } from '../../local/command-line.ts';
import type { Endpoints } from '../../local/state-directory.ts';
import { pasteLines } from '../../local/welcome.ts';
import { parseServerFrame, type ServerFrame } from '../../protocol/frames.ts';
import { type CreatedJob, CreatedJobSchema } from '../../protocol/http.ts';
import { parse } from '../../protocol/invalid.ts';
import type { Job } from '../../protocol/job.ts';
import { freePorts } from './free-ports.ts';
import { createJob, takeTicket, terminalJob } from './http-calls.ts';
import { DrivenCommand, processesOf, startCommand, whenReady } from './start-command.ts';

/** A line of a stack trace. */
const STACK = /^\s+at .+:\d+:\d+\)?$/m;

/** A page that is not ours. */
const ELSEWHERE = 'http://localhost:5173';

const commands: DrivenCommand[] = [];
let folder: string;
let port: number;

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-start-'));
  port = await freePorts();
});
afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function driven(command: DrivenCommand): DrivenCommand {
  commands.push(command);
  return command;
}

/** `npm start` with a state folder of this name; both the folder's path and the command. */
function start(name: string, ...more: readonly string[]) {
  const state = path.join(folder, name);
  return { state, command: driven(startCommand(['--port', String(port), '--state', state, ...more])) };
}

/** A line of the terminal, in the project's folder. */
function bash(script: string, environment: Readonly<Record<string, string>> = {}): DrivenCommand {
  return driven(
    new DrivenCommand('bash', ['-c', script], { environment: { ...process.env, ...environment } }),
  );
}

async function expectNothingLeft(state: string): Promise<void> {
  expect(await processesOf(state)).toEqual([]);
  await expect(access(path.join(state, 'endpoints.json'))).rejects.toMatchObject({ code: 'ENOENT' });
}

async function endAll(): Promise<void> {
  for (const command of commands.splice(0)) {
    command.signalGroup('SIGKILL');
    await command.end();
  }
}

describe('a start that cannot be', () => {
  afterEach(endAll);

  it.each([
    ['--port', 'eighty', 'a number from 1 to 65527'],
    ['--processing', 'nonsense', 'lambda or step-functions or step-functions-efs'],
  ])('says what is wrong with its flags, and which there are: %s %s', async (flag, value, meant) => {
    const command = driven(startCommand([flag, value]));
    expect(await command.end()).toBe(1);
    expect(command.output).toBe(`${flag} must be ${meant}, not ${value}.\n\n${HELP}\n`);
  });

  it('explains itself on --help', async () => {
    const command = driven(startCommand(['--help']));
    expect(await command.end()).toBe(0);
    expect(command.output).toBe(`${HELP}\n`);
  });

  it('names the port that is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port + 4, '127.0.0.1', resolve));
    const { command, state } = start('port-in-use');
    expect(await command.end()).toBe(1);
    await new Promise((resolve) => server.close(resolve));
    expect(command.output).toMatch(
      new RegExp(`^Port ${port + 4} cannot be used .*choose other ports: npm start -- --port 9000\n$`),
    );
    await expectNothingLeft(state);
  });

  it('says how to get Java where there is none', async () => {
    const state = path.join(folder, 'no-java');
    const { JAVA_HOME: _, ...environment } = process.env;
    const command = driven(
      startCommand(['--port', String(port), '--state', state], {
        environment: { ...environment, PATH: path.join(folder, 'no-programs') },
      }),
    );
    expect(await command.end()).toBe(1);
    expect(command.output).toMatch(/Java cannot be run .*Install a Java 17 or later runtime \(https:/);
    expect(command.output).not.toMatch(STACK);
    await expectNothingLeft(state);
  });

  it('does not delete with --fresh what is not its own', async () => {
    const foreign = path.join(folder, 'photographs');
    await mkdir(foreign);
    await writeFile(path.join(foreign, 'cat.jpg'), 'cat');
    const { command } = start('photographs', '--fresh');
    expect(await command.end()).toBe(1);
    expect(command.output).toBe(
      `--fresh would delete ${foreign}, which was not made by Jobwire. Choose an empty folder with --state, or delete it yourself.\n`,
    );
    expect(await readFile(path.join(foreign, 'cat.jpg'), 'utf8')).toBe('cat');
  });

  it.each([
    ['SIGINT', 'synthesizing the template'],
    ['SIGTERM', 'starting DynamoDB, S3 and SQS'],
  ] as const)('stops cleanly on %s while it is %s', async (signal, line) => {
    const { command, state } = start('interrupted');
    await command.printed(new RegExp(line));
    command.signal(signal);
    expect(await command.end()).toBe(0);
    expect(command.output).not.toMatch(/is ready|could not/);
    expect(command.output).not.toMatch(STACK);
    await expectNothingLeft(state);
  });
});

describe('a start, its lines in a terminal, its end, and the next start', () => {
  let command: DrivenCommand;
  let state: string;
  let endpoints: Endpoints;
  let created: CreatedJob;
  let finished: Job;
  let result: unknown;
  afterAll(endAll);

  const resultOf = async (job: Job) => await (await fetch(`${endpoints.api}/jobs/${job.id}/result`)).json();

  /** Whom the API and the uploads bucket let call, asked from a page of this origin. */
  const allowedFrom = async (origin: string) => {
    const { upload } = await createJob(endpoints.api, { size: 1 });
    if (upload?.method !== 'PUT') throw new Error('a small file is to be sent by PUT');
    const calls = [
      [`${endpoints.api}/jobs`, 'POST'],
      [upload.url, 'PUT'],
    ] as const;
    const preflights = calls.map(async ([url, method]) => {
      const headers = {
        origin,
        'access-control-request-method': method,
        'access-control-request-headers': 'content-type',
      };
      return (await fetch(url, { method: 'OPTIONS', headers })).headers.get('access-control-allow-origin');
    });
    return await Promise.all(preflights);
  };

  const startAgain = async (...more: readonly string[]) => {
    ({ command, state } = start('kept', ...more));
    endpoints = await whenReady(command, state);
  };

  const expectKept = async () => {
    expect(await terminalJob(endpoints.api, finished.id)).toEqual(finished);
    expect(await resultOf(finished)).toEqual(result);
    // Signed with the key of the first start.
    await takeTicket(endpoints.api, created);
  };

  it('is ready, and says where in endpoints.json', async () => {
    await startAgain();
    expect(endpoints).toEqual({
      dashboard: `http://127.0.0.1:${port}`,
      api: `http://127.0.0.1:${port + 1}`,
      socket: `ws://127.0.0.1:${port + 2}/v1`,
      pid: command.pid,
    });
    expect(command.output).not.toMatch(/starting (Step Functions|the MQTT broker)/);
    const { submit, watchJob, watchAll } = pasteLines(endpoints);
    for (const line of [...submit, watchJob, watchAll]) expect(command.output).toContain(`    ${line}\n`);
    const page = await fetch(endpoints.dashboard);
    expect(await page.text()).toContain('<title>Jobwire</title>');
  });

  it('lets the page call, and no page of another origin', async () => {
    expect(await allowedFrom(endpoints.dashboard)).toEqual([endpoints.dashboard, endpoints.dashboard]);
    expect(await allowedFrom(ELSEWHERE)).toEqual([null, null]);
  });

  it('refuses a second start on the same state', async () => {
    const { command: second } = start('kept', '--port', String(port + 100));
    expect(await second.end()).toBe(1);
    expect(second.output).toBe(
      `Jobwire runs already on ${state} (process ${command.pid}). Its page is ${endpoints.dashboard}. Stop it with Ctrl-C there, or with: kill ${command.pid}\n`,
    );
    expect(await (await fetch(endpoints.dashboard)).text()).toContain('<title>Jobwire</title>');
  });

  it('has lines that show wscat the whole life of a job', async () => {
    const { submit, watchJob } = pasteLines(endpoints);
    const [file = '', ask = '', upload = ''] = submit;
    const asked = bash(`${file}\n${ask}\necho "$JOB"`);
    expect(await asked.end()).toBe(0);
    const JOB = asked.output.trim();
    created = parse('the created job', CreatedJobSchema, JSON.parse(JOB));

    const wscat = bash(watchJob, { JOB });
    await wscat.printed(/"status":"awaiting-upload"/);
    expect(await bash(`${file}\n${upload}`, { JOB }).end()).toBe(0);
    await wscat.printed(/"status":"succeeded","stalled"/);

    const states = statesOf(wscat.output, created.job.id);
    expect(states.map(({ seq }) => seq)).toEqual([...new Set(states.map(({ seq }) => seq))].sort(byNumber));
    expect(states.length).toBeGreaterThanOrEqual(3);
    finished = await terminalJob(endpoints.api, created.job.id);
    expect(states.at(-1)).toEqual(finished);
    expect(finished.message).toBe('profiled 1,461 rows of 6 columns');
    result = await resultOf(finished);
    expect(result).toMatchObject({ rows: 1461 });
  });

  it('has a line that shows wscat every job made later, when all are pasted as they stand', async () => {
    const { submit, watchJob, watchAll } = pasteLines(endpoints);
    const all = bash(watchAll);
    await all.printed(/"type":"subscribed".*"topic":"owner:me"/);
    const one = bash([...submit, watchJob].join('\n'));
    await one.printed(/"status":"succeeded","stalled"/);
    await all.printed(/"status":"succeeded","stalled"/);
    const last = framesOf(one.output).at(-1);
    if (last?.type !== 'job') throw new Error(`no job came last: ${one.output}`);
    expect(statesOf(all.output, last.job.id).at(-1)).toEqual(last.job);
    expect(statesOf(all.output, last.job.id)[0]?.status).toBe('awaiting-upload');
    expect(statesOf(all.output, created.job.id)).toEqual([]);
  });

  it('logs what its functions do in words', async () => {
    const report = String.raw` [0-9a-f]{8} \d+(\.\d)? ms (warm|cold \(init \d+ ms\)) \d+ MB$`;
    for (const name of ['HttpApi/Handler', 'Publishing/Publish', 'Processing/Process']) {
      await command.printed(new RegExp(String.raw`^[\d:.]+ ${name}${report}`, 'm'));
    }
    await command.printed(/ Processing\/Process METRIC JobsSucceeded=1 /);
    expect(command.output).not.toMatch(/_aws|CloudWatchMetrics|FAILED/);
  });

  it('stops on SIGTERM, and keeps everything', async () => {
    command.signal('SIGTERM');
    expect(await command.end()).toBe(0);
    await expectNothingLeft(state);
    await startAgain();
    await expectKept();
  });

  it('leaves no Java behind when it is killed, and keeps everything', async () => {
    expect(await processesOf(path.join(state, 'dynamodb'))).not.toEqual([]);
    command.signal('SIGKILL');
    expect(await command.end()).toBe('SIGKILL');
    const noJava = async () => expect(await processesOf(path.join(state, 'dynamodb'))).toEqual([]);
    await vi.waitFor(noJava, { timeout: 10_000, interval: 50 });
    await startAgain();
    await expectKept();
    const { submit, watchJob } = pasteLines(endpoints);
    await bash([...submit, watchJob].join('\n')).printed(/"status":"succeeded","stalled"/);
    command.signal('SIGINT');
    await command.printed(/Stopping …/);
    command.signal('SIGINT'); // as npm does where its shell hands over to us
    expect(await command.end()).toBe(0);
    await expectNothingLeft(state);
  });

  it('begins anew with npm start -- --fresh, passes settings on to the app, and stops on Ctrl-C in a terminal', async () => {
    const flags = ['--port', String(port), '--state', state, '--fresh'];
    flags.push('--origin', ELSEWHERE, '--upload-events', 's3-notifications');
    flags.push('--processing', 'step-functions-efs', '--broadcast', 'iot-core');
    command = driven(new DrivenCommand('npm', ['start', '--', ...flags]));
    endpoints = await whenReady(command, state);
    expect(await (await fetch(`${endpoints.api}/jobs`)).json()).toEqual({ jobs: [] });
    expect((await fetch(`${endpoints.api}/jobs/${finished.id}`)).status).toBe(404);
    expect(await allowedFrom(ELSEWHERE)).toEqual([ELSEWHERE, ELSEWHERE]);
    const template = await readFile(path.join(state, 'cdk.out', '0', 'Jobwire.template.json'), 'utf8');
    for (const part of ['"LambdaConfigurations"', '"AWS::EFS::FileSystem"']) expect(template).toContain(part);
    const ticket = await fetch(`${endpoints.api}/jobs/${finished.id}/tickets`, {
      method: 'POST',
      headers: { authorization: `Bearer ${created.token}` },
    });
    expect(ticket.status).toBe(401);
    expect(endpoints.broker).toBe(`ws://127.0.0.1:${port + 8}/mqtt`);
    const { submit, subscribe = '' } = pasteLines(endpoints);
    expect(command.output).toContain(`    ${subscribe}\n`);
    const subscription = bash([...submit, subscribe].join('\n'));
    await subscription.printed(/"status":"succeeded","stalled"/);
    subscription.signalGroup('SIGINT');
    await subscription.end();
    command.signalGroup('SIGINT');
    await command.end(); // npm itself ends by the signal
    expect(command.output).toMatch(/starting Step Functions ….*starting the MQTT broker ….*is ready/s);
    expect(command.output).not.toMatch(/was not answered/);
    await expectNothingLeft(state);
  });
});

/** wscat prints a frame a line where its output is no terminal; npm may print warnings of its own. */
function framesOf(output: string): readonly ServerFrame[] {
  return output
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => parseServerFrame(line));
}

function statesOf(output: string, job: string): readonly Job[] {
  return framesOf(output).flatMap((frame) => ('job' in frame && frame.job.id === job ? [frame.job] : []));
}

function byNumber(one: number, other: number): number {
  return one - other;
}
