import { once } from 'node:events';
import { appendFile, mkdir, mkdtemp, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { parse, parseJson } from '../../protocol/invalid.ts';
import { type Job, JobSchema } from '../../protocol/job.ts';
import { createJob, terminalJob } from '../flow/http-calls.ts';
import { csvRows } from '../flow/large-csv.ts';
import { type RunningJobwire, startJobwire } from '../flow/running-jobwire.ts';
import { runCommand, startCommand } from './run-command.ts';

const UNKNOWN_JOB = 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA';

let jobwire: RunningJobwire;
let folder: string;
let environment: Record<string, string>;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-command-'));
  [jobwire] = await Promise.all([
    startJobwire(),
    writeFile(path.join(folder, 'good.csv'), csvRows(20_000)),
    writeFile(path.join(folder, 'broken.csv'), 'a,b\n"1,2\n3,4\n'),
  ]);
  environment = { JOBWIRE_API: jobwire.api };
});
afterAll(async () => {
  await jobwire.close();
  await rm(folder, { recursive: true, force: true });
});

function file(name: string): string {
  return path.join(folder, name);
}

function statesOf(lines: string): Job[] {
  return lines
    .trim()
    .split('\n')
    .map((line) => parse('the line', JobSchema, parseJson('the line', line)));
}

describe('jobwire submit', () => {
  it('uploads, shows the work, and prints nothing but the URL of the result on standard output', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['submit', file('good.csv')], { environment });
    expect(stderr).toMatch(/upload 100 % of good.csv/);
    expect(stderr).toMatch(/job_\w{26} succeeded · 100 % .*20,000 rows/);
    expect(exitCode).toBe(0);
    const url = stdout.trim();
    expect(url).toMatch(new RegExp(`^${jobwire.api}/jobs/job_\\w{26}/result$`));
    const result = await fetch(url);
    expect(await result.json()).toMatchObject({ rows: 20_000 });
    // Not a terminal: nothing that moves a cursor or has a colour.
    expect(stderr).not.toContain('\u001b');
  });

  it('prints each state as JSON, with tags and the media type of the name, and replays them', async () => {
    const { exitCode, stdout, stderr } = await runCommand(
      ['submit', file('good.csv'), '--json', '--tag', 'nightly', '--tag', 'eu'],
      { environment },
    );
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    const states = statesOf(stdout);
    expect(states[0]).toMatchObject({ status: 'awaiting-upload', tags: ['nightly', 'eu'] });
    expect(states[0]?.input).toMatchObject({ fileName: 'good.csv', contentType: 'text/csv' });
    expect(states.at(-1)?.status).toBe('succeeded');
    const seqs = states.map(({ seq }) => seq);
    expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));

    await writeFile(file('recorded.jsonl'), `${stdout}\n${stdout}`);
    const fromFile = await runCommand(['replay', file('recorded.jsonl'), '--speed', '1000']);
    const fromInput = await runCommand(['replay', '-', '--speed', '1000'], { input: stdout });
    expect(fromFile).toEqual(fromInput);
    expect(fromFile.exitCode).toBe(0);
    expect(fromFile.stdout.trim().split('\n')).toHaveLength(states.length);
    expect(fromFile.stdout).toContain('succeeded · 100 %');
  });

  it('prints the id with --no-watch', async () => {
    const { exitCode, stdout } = await runCommand(['submit', file('good.csv'), '--no-watch'], {
      environment,
    });
    expect(exitCode).toBe(0);
    expect((await terminalJob(jobwire.api, stdout.trim())).status).toBe('succeeded');
  });

  it('ends with 1 for a file that cannot be processed, and says why', async () => {
    const { exitCode, stdout, stderr } = await runCommand(['submit', file('broken.csv')], { environment });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('broken-quotes');
  });

  it('says what the API refuses', async () => {
    const { exitCode, stderr } = await runCommand(['submit', file('good.csv'), '--kind', 'word-count'], {
      environment,
    });
    expect(exitCode).toBe(64);
    expect(stderr).toContain('csv-profile');
  });

  it('takes what cannot be a job for a mistake on the command line', async () => {
    await writeFile(file('empty.csv'), '');
    const empty = await runCommand(['submit', file('empty.csv')], { environment });
    expect({ code: empty.exitCode, said: empty.stderr }).toEqual({
      code: 64,
      said: `${file('empty.csv')} is empty: there is nothing to process.\n`,
    });
    const noJob = await runCommand(['watch', UNKNOWN_JOB, 'job_nope'], { environment });
    expect(noJob.exitCode).toBe(64);
    expect(noJob.stderr).toContain('job_nope');
  });
});

describe('jobwire watch', () => {
  it('watches a job to its end, one line of JSON a state', async () => {
    const { job } = await createJob(jobwire.api, { size: 10 });
    const watching = startCommand(['watch', '--json', job.id], { environment });
    await watching.printed('awaiting-upload');
    const cancelled = await runCommand(['cancel', job.id], { environment });
    expect(cancelled).toEqual({ exitCode: 0, stdout: `${job.id} cancelled\n`, stderr: '' });
    const { exitCode, stdout, stderr } = await watching.ended;
    expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: '' });
    expect(statesOf(stdout).map(({ status }) => status)).toEqual(['awaiting-upload', 'cancelled']);
  });

  it('hears of a job by the way that it is told', async () => {
    const { job } = await createJob(jobwire.api, { size: 1 });
    const watching = startCommand(['watch', job.id, '--via', 'poll'], { environment });
    await watching.printed('awaiting-upload');
    await fetch(`${jobwire.api}/jobs/${job.id}/cancel`, { method: 'POST' });
    expect((await watching.ended).exitCode).toBe(2);
    const silent = await runCommand(['watch', job.id, '--via', 'iot'], { environment });
    expect(silent.exitCode).toBe(3);
    expect(silent.stderr).toContain('-c broadcast=iot-core');
  });

  it('ends with the worst of several jobs', async () => {
    const submitted = await runCommand(['submit', file('good.csv'), '--no-watch'], { environment });
    const good = submitted.stdout.trim();
    const { job } = await createJob(jobwire.api, { size: 10 });
    await runCommand(['cancel', job.id], { environment });
    const both = await runCommand(['watch', good, job.id, good], { environment });
    expect(both.exitCode).toBe(2);
    expect(both.stdout).toContain(`${good} succeeded`);
    expect(both.stdout).toContain(`${job.id} cancelled`);
    const three = await runCommand(['watch', good, UNKNOWN_JOB], { environment });
    expect(three.exitCode).toBe(3);
    expect(three.stderr).toContain(UNKNOWN_JOB);
    expect(three.stdout).toContain(`${good} succeeded`);
  });

  it('ends with 3 when nobody answers, whatever is asked', async () => {
    const nowhere = ['--api', 'http://127.0.0.1:9'];
    for (const command of [['watch', UNKNOWN_JOB], ['jobs'], ['submit', file('good.csv')]]) {
      const { exitCode, stderr } = await runCommand([...command, ...nowhere]);
      expect({ command, exitCode }).toEqual({ command, exitCode: 3 });
      expect(stderr).toContain('no answer from http://127.0.0.1:9');
    }
  });

  it('ends with 3 where somebody else answers, whatever is asked', async () => {
    const site = createServer((_request, response) => response.end('<!doctype html>'));
    onTestFinished(() => void site.close());
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    const { port } = site.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    for (const command of [['watch', UNKNOWN_JOB], ['cancel', UNKNOWN_JOB], ['jobs']]) {
      const { exitCode, stderr } = await runCommand([...command, '--api', `http://127.0.0.1:${port}`]);
      expect({ command, exitCode }).toEqual({ command, exitCode: 3 });
      expect(stderr).toContain(`not an answer of a Jobwire API: 200 of http://127.0.0.1:${port}/`);
    }
  });

  it('stops watching at Ctrl-C, and says that the job goes on', async () => {
    const { job } = await createJob(jobwire.api, { size: 10 });
    const watching = startCommand(['watch', job.id], { environment });
    await watching.printed('awaiting-upload');
    watching.interrupt();
    const { exitCode, stderr } = await watching.ended;
    expect(exitCode).toBe(130);
    expect(stderr).toContain(`The job goes on; watch again with: jobwire watch ${job.id}`);
  });
});

describe('a file that changes while it is submitted', () => {
  it('is a mistake of the command line, and leaves no job that waits for it', async () => {
    // So large that the append comes long before its end, and sparse: nobody has to write it.
    await writeFile(file('growing.csv'), '');
    await truncate(file('growing.csv'), 1_000_000_000);
    onTestFinished(() => rm(file('growing.csv')));
    const sending = startCommand(['submit', file('growing.csv'), '--tag', 'growing'], { environment });
    await sending.printed('upload 10 %');
    await appendFile(file('growing.csv'), 'c,d\n');
    const { exitCode, stdout, stderr } = await sending.ended;
    expect({ exitCode, stdout }).toEqual({ exitCode: 64, stdout: '' });
    const [, name, id = ''] =
      /^(.*): the file cannot be read any more: .*\nStopped the upload; (job_\w+) is cancelled\.\n$/m.exec(
        stderr,
      ) ?? [];
    expect(name).toBe(file('growing.csv'));
    expect((await terminalJob(jobwire.api, id)).status).toBe('cancelled');
  });
});

describe('Ctrl-C', () => {
  it('is ours to answer also while bars are drawn', async () => {
    const file = fileURLToPath(new URL('interrupted-bars.ts', import.meta.url));
    const drawing = startCommand([], { file });
    await drawing.printed('drawing');
    drawing.interrupt();
    expect(await drawing.ended).toEqual({ exitCode: 0, stdout: 'drawing\nstopped as asked\n', stderr: '' });
  });

  it('stops an upload, and cancels its job', async () => {
    await writeFile(file('large.csv'), Buffer.alloc(90_000_000, 'a,b\n'));
    const sending = startCommand(['submit', file('large.csv')], { environment });
    await sending.printed('upload 10 %');
    sending.interrupt();
    const { exitCode, stderr } = await sending.ended;
    expect(exitCode).toBe(130);
    const id = /Stopped the upload; (job_\w+) is cancelled\./.exec(stderr)?.[1] ?? '';
    expect((await terminalJob(jobwire.api, id)).status).toBe('cancelled');
  });

  it('is also that nobody reads the progress any more', async () => {
    const sending = startCommand(['submit', file('large.csv'), '--tag', 'unread'], { environment });
    await sending.printed('upload 10 %');
    sending.closeErrors();
    expect((await sending.ended).exitCode).toBe(130);
    const { stdout } = await runCommand(['jobs', '--limit', '1', '--json'], { environment });
    expect(statesOf(stdout)).toMatchObject([{ tags: ['unread'], status: 'cancelled' }]);
  });
});

describe('jobwire jobs and cancel', () => {
  it('lists the newest jobs, as a table and as JSON', async () => {
    const { job } = await createJob(jobwire.api, { size: 10, fileName: 'newest.csv' });
    const table = await runCommand(['jobs', '--limit', '2'], { environment });
    const lines = table.stdout.trim().split('\n');
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^JOB +STATUS +DONE +KIND +AGE +FILE$/);
    expect(lines[1]).toMatch(new RegExp(`^${job.id} +awaiting-upload .*newest.csv$`));
    const { stdout } = await runCommand(['jobs', '--limit', '1', '--json'], { environment });
    expect(statesOf(stdout)).toMatchObject([{ id: job.id }]);
  });

  it('does not cancel what is over', async () => {
    const submitted = await runCommand(['submit', file('good.csv'), '--no-watch'], { environment });
    const id = submitted.stdout.trim();
    await terminalJob(jobwire.api, id);
    const { exitCode, stderr } = await runCommand(['cancel', id], { environment });
    expect({ exitCode, stderr }).toEqual({
      exitCode: 1,
      stderr: `${id} is over already: it is succeeded.\n`,
    });
  });
});

describe('finding the API', () => {
  it('takes the local runtime of the folder, or of one above', async () => {
    const inner = path.join(folder, 'project', 'a', 'b');
    await mkdir(inner, { recursive: true });
    await mkdir(path.join(folder, 'project', '.jobwire'));
    const endpoints = path.join(folder, 'project', '.jobwire', 'endpoints.json');
    await writeFile(endpoints, await readFile(path.join(jobwire.stateDirectory, 'endpoints.json')));
    expect((await runCommand(['jobs'], { cwd: inner })).exitCode).toBe(0);
  });
});
