import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePorts } from '../flow/free-ports.ts';
import { createJob, terminalJob, upload } from '../flow/http-calls.ts';
import { csvRows } from '../flow/large-csv.ts';
import { processesOf, startCommand, whenReady } from '../flow/start-command.ts';
import { launchBrowser } from './launch.ts';
import { WitnessedPage } from './witnessed-page.ts';

let browser: Browser;
let stateDirectory: string;
beforeAll(async () => {
  [browser, stateDirectory] = await Promise.all([
    launchBrowser(),
    mkdtemp(path.join(tmpdir(), 'jobwire-restart-')),
  ]);
});
afterAll(async () => {
  await browser.close();
  await rm(stateDirectory, { recursive: true, force: true });
});

it('shows the truth again after the gateway was killed in mid-job and started anew', async () => {
  const port = await freePorts();
  const start = () => startCommand(['--port', String(port), '--state', stateDirectory, '--no-watch']);
  let command = start();
  try {
    const { api, dashboard } = await whenReady(command, stateDirectory);
    const content = csvRows(150_000);
    const created = await createJob(api, { size: content.length });
    const { id } = created.job;
    const tab = await WitnessedPage.open(await browser.newContext(), `${dashboard}/#/jobs/${id}`);
    await tab.shows(created.job);
    await tab.isConnected('live');
    expect((await upload(created, content)).status).toBe(200);
    await tab.page.locator('[data-testid=job][data-status=running]').waitFor();

    command.signal('SIGKILL');
    await command.end();
    await tab.isConnected('reconnecting');
    command = start();
    await whenReady(command, stateDirectory);
    await tab.isConnected('live', 60_000);
    // The work was killed, too. Its message comes back after a while; here the answer is not waited for.
    const killed = await fetch(`${api}/jobs/${id}/cancel`, { method: 'POST' });
    expect([202, 409]).toContain(killed.status);
    const { connections } = await tab.isTrue(api, id);
    expect(connections.slice(0, 2)).toEqual(['connecting', 'live']);
    expect(connections.at(-1)).toBe('live');
    expect((await terminalJob(api, id)).id).toBe(id);
  } finally {
    command.signalGroup('SIGTERM');
    await command.end();
    for (const pid of await processesOf(stateDirectory)) process.kill(pid, 'SIGKILL');
  }
});
