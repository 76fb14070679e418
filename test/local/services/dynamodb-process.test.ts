import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { DatabaseFileError, setWriteAheadLog } from '../../../local/services/dynamodb-file.ts';
import {
  DatabaseStartError,
  JavaMissingError,
  startDynamoDbProcess,
} from '../../../local/services/dynamodb-process.ts';

const LIMIT = 60_000;
let directory: string;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'jobwire-java-'));
});
afterAll(async () => {
  await rm(directory, { recursive: true });
});

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Of every process on this machine. */
async function commandLines(): Promise<string> {
  return (await promisify(execFile)('ps', ['-A', '-ww', '-o', 'args='])).stdout;
}

const gone = (pid: number) =>
  vi.waitFor(() => expect(isAlive(pid)).toBe(false), { timeout: 10_000, interval: 20 });

describe('Java', () => {
  it(
    'is gone once close() has resolved',
    async () => {
      const unexpected = vi.fn();
      const database = await startDynamoDbProcess({
        directory: join(directory, 'closed'),
        onUnexpectedExit: unexpected,
      });
      expect(isAlive(database.javaPid)).toBe(true);
      await database.close();
      expect(isAlive(database.javaPid)).toBe(false);
      expect(unexpected).not.toHaveBeenCalled();
    },
    LIMIT,
  );

  it(
    'is gone when its start was given up',
    async () => {
      const notNeeded = new AbortController();
      const folder = join(directory, 'given-up');
      const start = startDynamoDbProcess({
        directory: folder,
        signal: notNeeded.signal,
        onUnexpectedExit: () => undefined,
      });
      const isRunning = async () => expect(await commandLines()).toContain(folder);
      await vi.waitFor(isRunning, { timeout: 10_000, interval: 20 });
      notNeeded.abort();
      await expect(start).rejects.toThrow(DatabaseStartError);
      expect(await commandLines()).not.toContain(folder);
    },
    LIMIT,
  );

  it.each(['SIGKILL', 'SIGINT'] as const)(
    'is gone after its parent was ended by %s',
    async (signal) => {
      const script = fileURLToPath(new URL('./dynamodb-parent.ts', import.meta.url));
      const parent = spawn(process.execPath, [script, join(directory, signal)], {
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      const [line] = await once(parent.stdout, 'data');
      const javaPid = Number(String(line));
      expect(isAlive(javaPid)).toBe(true);
      parent.kill(signal);
      await once(parent, 'exit');
      await gone(javaPid);
    },
    LIMIT,
  );

  it(
    'is told of when it ends by itself',
    async () => {
      const ended = Promise.withResolvers<string>();
      const database = await startDynamoDbProcess({
        directory: join(directory, 'ended'),
        onUnexpectedExit: ended.resolve,
      });
      process.kill(database.javaPid, 'SIGKILL');
      expect(await ended.promise).toContain('Initializing DynamoDB Local');
      await database.close();
    },
    LIMIT,
  );

  it.runIf(process.platform === 'linux')(
    'does not outlive its supervisor',
    async () => {
      const database = await startDynamoDbProcess({
        directory: join(directory, 'orphan'),
        onUnexpectedExit: () => undefined,
      });
      const status = await readFile(`/proc/${database.javaPid}/status`, 'utf8');
      const supervisorPid = Number(/^PPid:\s+(\d+)$/m.exec(status)?.[1]);
      process.kill(supervisorPid, 'SIGKILL');
      await gone(database.javaPid);
      await database.close();
    },
    LIMIT,
  );
});

describe('the database file', () => {
  it.each(['a new one', 'one of before'])(
    'is written ahead, so that a write waits for the disk once: %s',
    async (which) => {
      const folder = await mkdtemp(join(directory, 'log-'));
      const file = join(folder, 'shared-local-instance.db');
      if (which === 'one of before') {
        const before = new DatabaseSync(file);
        before.exec('CREATE TABLE kept (id INTEGER)');
        before.close();
      }
      setWriteAheadLog(folder);
      const database = new DatabaseSync(file);
      expect(database.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
      expect(database.prepare('SELECT name FROM sqlite_schema').all()).toHaveLength(
        which === 'one of before' ? 1 : 0,
      );
      database.close();
    },
  );

  it('that is none is left as it is, with what to do about it', async () => {
    const folder = await mkdtemp(join(directory, 'broken-'));
    const file = join(folder, 'shared-local-instance.db');
    await writeFile(
      file,
      'This is no database, and long enough not to be taken for the beginning of one.'.repeat(10),
    );
    const text = await readFile(file, 'utf8');
    expect(() => setWriteAheadLog(folder)).toThrow(DatabaseFileError);
    expect(() => setWriteAheadLog(folder)).toThrow(/not a database.*npm start -- --fresh/);
    expect(await readFile(file, 'utf8')).toBe(text);
  });
});

describe('a start that fails', () => {
  const startWith = async (name: string, script: string) => {
    const javaCommand = join(directory, name);
    await writeFile(javaCommand, `#!/bin/sh\n${script}\n`);
    await chmod(javaCommand, 0o755);
    return startDynamoDbProcess({
      directory: join(directory, 'failed'),
      javaCommand,
      onUnexpectedExit: () => undefined,
    });
  };

  it('says that Java is too old', async () => {
    const old = startWith(
      'java-11',
      'echo "java.lang.UnsupportedClassVersionError: Main has been compiled by class file version 61.0" >&2; exit 1',
    );
    await expect(old).rejects.toThrow(JavaMissingError);
    await expect(old).rejects.toThrow(/older than 17.*https:\/\/adoptium\.net/);
  });

  it('says what Java said otherwise', async () => {
    const broken = startWith('java-broken', 'echo "Could not reserve enough space" >&2; exit 1');
    await expect(broken).rejects.toThrow(DatabaseStartError);
    await expect(broken).rejects.toThrow(/Could not reserve enough space/);
  });
});
