import type { Readable } from 'node:stream';

/** Bytes `from` to before `to`, counted from 0. */
export interface ByteRange {
  readonly from: number;
  readonly to: number;
}

/**
 * Where the steps of one execution of the workflow hand on what they made. An execution sees its own files only;
 * names are ours: letters, digits, `-`.
 */
export interface Workspace {
  /** Writes a file whole, in place of what was there: nobody ever reads half of it. @throws UnavailableError. */
  write(execution: string, name: string, content: Uint8Array): Promise<void>;
  /** @throws FileNotFoundError, UnavailableError. */
  read(execution: string, name: string): Promise<Uint8Array>;
  /**
   * A file's content, or a range of it, as a stream that must be consumed or destroyed.
   * @throws FileNotFoundError, UnavailableError; the signal's reason. The stream fails with the same.
   */
  open(execution: string, name: string, signal: AbortSignal, range?: ByteRange): Promise<Readable>;
  /** Removes all files of an execution; harmless where there are none. @throws UnavailableError. */
  remove(execution: string): Promise<void>;
}

/** A workspace that is a file system, and so holds the payload itself. */
export interface SharedFiles extends Workspace {
  /** Writes a file whole from a stream, which it consumes. @throws UnavailableError; what the stream fails with. */
  copy(execution: string, name: string, content: Readable, signal: AbortSignal): Promise<void>;
  /**
   * The executions that have files, and have made none since `before`: whoever should have removed them is gone.
   * @throws UnavailableError.
   */
  abandoned(before: Date): Promise<readonly string[]>;
}
