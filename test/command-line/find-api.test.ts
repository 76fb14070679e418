import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findApi } from '../../command-line/find-api.ts';
import { runCommand } from './run-command.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-find-'));
  await mkdir(path.join(folder, '.jobwire'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function announce(endpoints: unknown): Promise<void> {
  const text = typeof endpoints === 'string' ? endpoints : JSON.stringify(endpoints);
  await writeFile(path.join(folder, '.jobwire', 'endpoints.json'), text);
}

describe('findApi', () => {
  it('takes --api before JOBWIRE_API, and that before the local runtime', async () => {
    await announce({ api: 'http://127.0.0.1:1', pid: process.pid });
    const variable = { JOBWIRE_API: 'http://127.0.0.1:2' };
    expect(await findApi({ api: 'http://127.0.0.1:3' }, variable, folder)).toBe('http://127.0.0.1:3');
    expect(await findApi({}, variable, folder)).toBe('http://127.0.0.1:2');
    expect(await findApi({}, { JOBWIRE_API: '' }, folder)).toBe('http://127.0.0.1:1');
  });

  it('says what to do where there is none', async () => {
    await expect(findApi({}, {}, folder)).rejects.toThrow(/--api URL, --stack NAME .* JOBWIRE_API/);
    await expect(findApi({ api: '127.0.0.1:8401' }, {}, folder)).rejects.toThrow(/--api must be a URL/);
    await expect(findApi({}, { JOBWIRE_API: 'ftp://x' }, folder)).rejects.toThrow(
      /JOBWIRE_API must be a URL/,
    );
  });

  it('knows a runtime that is still starting from one that is gone', async () => {
    await announce({ pid: process.pid });
    await expect(findApi({}, {}, folder)).rejects.toThrow(/still starting/);
    const child = spawn(process.execPath, ['-e', '']);
    await once(child, 'exit');
    await announce({ api: 'http://127.0.0.1:1', pid: child.pid });
    await expect(findApi({}, {}, folder)).rejects.toThrow(/runs no more: start it with npm start/);
    await announce('{"api": "http://127');
    await expect(findApi({}, {}, folder)).rejects.toThrow(/runs no more/);
  });
});

describe('--stack', () => {
  const outputs = (
    key: string,
  ) => `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/">
    <DescribeStacksResult><Stacks><member><StackName>jobs</StackName><StackStatus>CREATE_COMPLETE</StackStatus>
    <CreationTime>2026-11-23T12:00:00Z</CreationTime><Outputs><member><OutputKey>${key}</OutputKey>
    <OutputValue>http://127.0.0.1:9</OutputValue></member></Outputs></member></Stacks></DescribeStacksResult>
    </DescribeStacksResponse>`;
  const missing = `<ErrorResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><Error>
    <Type>Sender</Type><Code>ValidationError</Code><Message>Stack with id jobs does not exist</Message></Error>
    <RequestId>1</RequestId></ErrorResponse>`;

  it.each([
    ['finds the API in the outputs', 200, outputs('api'), 'no answer from http://127.0.0.1:9'],
    ['knows a stack of something else', 200, outputs('other'), 'has no output "api"'],
    ['passes on what CloudFormation says', 400, missing, 'Stack with id jobs does not exist'],
  ])('%s', async (_, status, answer, said) => {
    const server = createServer((request, response) => {
      request
        .resume()
        .on('end', () => response.writeHead(status, { 'content-type': 'text/xml' }).end(answer));
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo; // it listens on TCP, so the address is no pipe name
    try {
      const { exitCode, stderr } = await runCommand(['jobs', '--stack', 'jobs'], {
        environment: {
          AWS_ENDPOINT_URL_CLOUDFORMATION: `http://127.0.0.1:${port}`,
          AWS_REGION: 'eu-central-1',
          AWS_ACCESS_KEY_ID: 'AKIDEXAMPLE',
          AWS_SECRET_ACCESS_KEY: 'example',
        },
      });
      expect(stderr).toContain(said);
      expect(exitCode).toBe(3);
    } finally {
      server.closeAllConnections();
      server.close();
    }
  });
});
