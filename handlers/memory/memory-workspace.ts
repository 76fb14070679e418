import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { FileNotFoundError } from '../errors.ts';
import type { ByteRange, SharedFiles } from '../workspace.ts';

/** `SharedFiles` in memory. */
export class MemoryWorkspace implements SharedFiles {
  readonly #executions = new Map<
    string,
    Map<string, { readonly content: Uint8Array; readonly at: number }>
  >();

  readonly #now: () => number;

  /** `now` in milliseconds since the epoch; the machine's time by default. */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  /** The names of the files of an execution, in no order. */
  filesOf(execution: string): readonly string[] {
    return [...(this.#executions.get(execution)?.keys() ?? [])];
  }

  async write(execution: string, name: string, content: Uint8Array): Promise<void> {
    const files = this.#executions.get(execution) ?? new Map();
    files.set(name, { content: Uint8Array.from(content), at: this.#now() });
    this.#executions.set(execution, files);
  }

  async read(execution: string, name: string): Promise<Uint8Array> {
    const file = this.#executions.get(execution)?.get(name);
    if (file === undefined) throw new FileNotFoundError(execution, name);
    return Uint8Array.from(file.content);
  }

  async open(execution: string, name: string, signal: AbortSignal, range?: ByteRange): Promise<Readable> {
    signal.throwIfAborted();
    const content = await this.read(execution, name);
    return Readable.from(chunksOf(content.subarray(range?.from, range?.to), signal), { objectMode: false });
  }

  async copy(execution: string, name: string, content: Readable, signal: AbortSignal): Promise<void> {
    const bytes = await buffer(content);
    signal.throwIfAborted();
    await this.write(execution, name, bytes);
  }

  async remove(execution: string): Promise<void> {
    this.#executions.delete(execution);
  }

  async abandoned(before: Date): Promise<readonly string[]> {
    return [...this.#executions]
      .filter(([, files]) => [...files.values()].every(({ at }) => at < before.getTime()))
      .map(([execution]) => execution);
  }
}

/** Two pieces, so that a reader can be told to stop between them. */
function* chunksOf(content: Uint8Array, signal: AbortSignal): Iterable<Uint8Array> {
  const middle = Math.ceil(content.byteLength / 2);
  for (const piece of [content.subarray(0, middle), content.subarray(middle)]) {
    signal.throwIfAborted();
    if (piece.byteLength > 0) yield piece;
  }
}
