import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FileNotFoundError, RefusedError, UnavailableError } from '../errors.ts';
import type { ByteRange, SharedFiles } from '../workspace.ts';

const SERVICE = 'the file system';

/** How often removing a folder is tried again while somebody still writes into it, and how long it waits between. */
const REMOVAL = { recursive: true, force: true, maxRetries: 5, retryDelay: 100 } as const;

/** How much is read at a time, in bytes: EFS answers each read with a round trip, and is metered in 32 KiB or more. */
const READ_BYTES = 1024 * 1024;

/** What a file system answers while it is away or overloaded, and a program that has too many files open. */
const PASSING: ReadonlySet<string> = new Set([
  'EAGAIN',
  'EBUSY',
  'EIO',
  'EMFILE',
  'ENFILE',
  'ENOTEMPTY',
  'ESTALE',
  'ETIMEDOUT',
]);

/** `SharedFiles` in a folder that all steps mount: `<folder>/<execution>/<name>`. */
export class WorkspaceFolder implements SharedFiles {
  readonly #folder: string;

  /** `folder` must be there. */
  constructor(folder: string) {
    this.#folder = folder;
  }

  async write(execution: string, name: string, content: Uint8Array): Promise<void> {
    await this.#whole(execution, name, (path) => writeFile(path, content));
  }

  async read(execution: string, name: string): Promise<Uint8Array> {
    return this.#reading(execution, name, (path) => readFile(path));
  }

  async open(execution: string, name: string, signal: AbortSignal, range?: ByteRange): Promise<Readable> {
    signal.throwIfAborted();
    if (range !== undefined && range.from >= range.to) return Readable.from([], { objectMode: false });
    // Opened here, so that a file that is not there is known at once, and read from wherever it is moved to.
    const file = await this.#reading(execution, name, (path) => open(path));
    const content = createReadStream('', {
      fd: file,
      highWaterMark: READ_BYTES,
      ...(range === undefined ? {} : { start: range.from, end: range.to - 1 }), // `end` is inclusive
    });
    const stream = Readable.from(chunksOf(content, signal), { objectMode: false });
    // A generator that was never begun does not reach its `finally`; the file must be closed all the same.
    stream.once('close', () => content.destroy());
    return stream;
  }

  async copy(execution: string, name: string, content: Readable, signal: AbortSignal): Promise<void> {
    await this.#whole(execution, name, async (path) => {
      try {
        await pipeline(content, createWriteStream(path), { signal });
      } catch (error) {
        signal.throwIfAborted(); // its reason, not the pipeline's AbortError
        throw error;
      }
    });
  }

  async remove(execution: string): Promise<void> {
    await translating(() => rm(join(this.#folder, execution), REMOVAL));
  }

  async abandoned(before: Date): Promise<readonly string[]> {
    const found: string[] = [];
    for (const execution of await translating(() => readdir(this.#folder))) {
      if ((await this.#lastFile(execution)) < before.getTime()) found.push(execution);
    }
    return found;
  }

  /** When a file of an execution was made last, in milliseconds since the epoch: its folder changes with each. */
  async #lastFile(execution: string): Promise<number> {
    try {
      return (await stat(join(this.#folder, execution))).mtimeMs;
    } catch (error) {
      // Removed between two looks: so somebody does look after it.
      if (codeOf(error) === 'ENOENT') return Number.POSITIVE_INFINITY;
      throw translate(error);
    }
  }

  /** Under another name first: a rename shows a file whole or not at all, also to those that have it open. */
  async #whole(execution: string, name: string, write: (path: string) => Promise<void>): Promise<void> {
    const folder = join(this.#folder, execution);
    const unfinished = join(folder, `${name}.${randomUUID()}`);
    try {
      await translating(() => mkdir(folder, { recursive: true }));
      await write(unfinished);
      await rename(unfinished, join(folder, name));
    } catch (error) {
      await rm(unfinished, { force: true }).catch(() => undefined); // the first error is the one that tells
      throw translate(error);
    }
  }

  async #reading<Result>(
    execution: string,
    name: string,
    action: (path: string) => Promise<Result>,
  ): Promise<Result> {
    try {
      return await action(join(this.#folder, execution, name));
    } catch (error) {
      if (codeOf(error) === 'ENOENT') throw new FileNotFoundError(execution, name, { cause: error });
      throw translate(error);
    }
  }
}

async function* chunksOf(content: Readable, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const stop = () => content.destroy(); // also while the file system does not answer
  signal.addEventListener('abort', stop, { once: true });
  try {
    signal.throwIfAborted();
    for await (const chunk of content) {
      yield chunk;
      signal.throwIfAborted();
    }
  } catch (error) {
    signal.throwIfAborted();
    throw translate(error);
  } finally {
    signal.removeEventListener('abort', stop);
    content.destroy();
  }
}

async function translating<Result>(action: () => Promise<Result>): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    throw translate(error);
  }
}

/** What is no error of the file system (the reason of a signal, what a stream failed with) stays as it is. */
function translate(error: unknown): unknown {
  const code = codeOf(error);
  if (code === undefined) return error;
  if (PASSING.has(code)) return new UnavailableError(SERVICE, { cause: error });
  return new RefusedError(SERVICE, code, { cause: error });
}

function codeOf(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('syscall' in error) || !('code' in error)) return undefined;
  return typeof error.code === 'string' ? error.code : undefined;
}
