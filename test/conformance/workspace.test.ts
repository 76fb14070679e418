import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createS3Client } from '../../handlers/aws/clients.ts';
import { WorkspaceBucket } from '../../handlers/aws/workspace-bucket.ts';
import { WorkspaceFolder } from '../../handlers/aws/workspace-folder.ts';
import { FileNotFoundError, RefusedError } from '../../handlers/errors.ts';
import { MemoryWorkspace } from '../../handlers/memory/memory-workspace.ts';
import type { SharedFiles } from '../../handlers/workspace.ts';
import { systemClock } from '../../local/clock.ts';
import type { RunningService } from '../../local/services/running-service.ts';
import { startS3 } from '../../local/services/s3.ts';
import { knowing, owner } from '../local/services/caller.ts';
import { describeWorkspace, newExecution } from './workspace-suite.ts';

let directory: string;
let s3: RunningService;
let client: S3Client;
const lines: string[] = [];
const saved = { ...process.env };
const { signal } = new AbortController();

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-workspace-'));
  s3 = await startS3({
    port: 0,
    directory: join(directory, 's3'),
    buckets: [{ BucketName: 'workspace-bucket' }],
    principals: knowing(),
    clock: systemClock,
    onObjectCreated: () => {},
    log: (line) => lines.push(line),
  });
  Object.assign(process.env, {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: owner.accessKeyId,
    AWS_SECRET_ACCESS_KEY: owner.secretAccessKey,
    AWS_ENDPOINT_URL_S3: s3.endpoint,
  });
  client = createS3Client();
});
afterAll(async () => {
  process.env = saved;
  client.destroy();
  await s3.close();
  await rm(directory, { recursive: true });
  expect(lines).toEqual([]);
});

const folder = () => mkdtemp(join(directory, 'files-'));

describeWorkspace('memory', async () => new MemoryWorkspace());
describeWorkspace('a folder', async () => new WorkspaceFolder(await folder()));
describeWorkspace(
  'the local S3',
  async () => new WorkspaceBucket({ client, bucketName: 'workspace-bucket' }),
);

describe.each([
  ['memory', async (): Promise<SharedFiles> => new MemoryWorkspace()],
  ['a folder', async (): Promise<SharedFiles> => new WorkspaceFolder(await folder())],
])('SharedFiles: %s', (_, start) => {
  it('copies a stream, whole or not at all', async () => {
    const files = await start();
    const execution = newExecution();
    const stream = (chunks: Iterable<Uint8Array>) => Readable.from(chunks, { objectMode: false });
    await files.copy(execution, 'payload', stream([Buffer.from('a,b\n'), Buffer.from('1,2\n')]), signal);
    expect(Buffer.from(await files.read(execution, 'payload')).toString()).toBe('a,b\n1,2\n');

    const failure = new Error('the upload broke off');
    function* broken() {
      yield Buffer.from('other');
      throw failure;
    }
    await expect(files.copy(execution, 'payload', stream(broken()), signal)).rejects.toBe(failure);
    expect(Buffer.from(await files.read(execution, 'payload')).toString()).toBe('a,b\n1,2\n');

    const reason = new Error('the job was cancelled');
    await expect(
      files.copy(execution, 'other', stream([Buffer.from('x')]), AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
    await expect(files.read(execution, 'other')).rejects.toBeInstanceOf(FileNotFoundError);
  });

  it('finds what nobody has written to for long', async () => {
    const files = await start();
    const execution = newExecution();
    await files.write(execution, 'plan', Buffer.from('x'));
    expect(await files.abandoned(new Date(Date.now() - 60_000))).not.toContain(execution);
    expect(await files.abandoned(new Date(Date.now() + 60_000))).toContain(execution);
  });
});

describe('a folder', () => {
  it('keeps what was written to lately, however old the rest is', async () => {
    const path = await folder();
    const files = new WorkspaceFolder(path);
    const [old, young] = [newExecution(), newExecution()];
    const long = new Date(Date.now() - 3_600_000);
    for (const execution of [old, young]) {
      await files.write(execution, 'plan', Buffer.from('x'));
      for (const name of [join(execution, 'plan'), execution]) await utimes(join(path, name), long, long);
    }
    await files.write(young, 'range-0', Buffer.from('x'));
    expect(await files.abandoned(new Date(Date.now() - 60_000))).toEqual([old]);
    await files.remove(old);
    expect(await readdir(path)).toEqual([young]);
  });

  it('leaves nothing of a file that could not be written, and says why', async () => {
    const path = await folder();
    const files = new WorkspaceFolder(path);
    const broken = Readable.from(
      (function* () {
        yield Buffer.from('x');
        throw new Error('broken');
      })(),
    );
    const execution = newExecution();
    await expect(files.copy(execution, 'payload', broken, signal)).rejects.toThrow('broken');
    expect(await readdir(join(path, execution))).toEqual([]);
    const missing = new WorkspaceFolder(join(path, execution, 'plan'));
    await new WorkspaceFolder(path).write(execution, 'plan', Buffer.from('a file, no folder'));
    await expect(missing.write(execution, 'plan', Buffer.from('x'))).rejects.toBeInstanceOf(RefusedError);
  });
});
