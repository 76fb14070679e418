import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import type { Endpoints } from '../../local/state-directory.ts';
import { PROJECT } from './running-jobwire.ts';

/** A command that a test drives from outside: its output, its end, and signals to it. */
export class DrivenCommand {
  readonly #child: ChildProcess;
  readonly #listeners = new Set<() => void>();
  #output = '';
  #end: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined;

  /** Starts it in a process group of its own, as a terminal does; its standard input stays open. */
  constructor(
    command: string,
    arguments_: readonly string[],
    options: { readonly directory?: string; readonly environment?: NodeJS.ProcessEnv } = {},
  ) {
    this.#child = spawn(command, arguments_, {
      cwd: options.directory ?? PROJECT,
      env: options.environment ?? process.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.setEncoding('utf8').on('data', (text: string) => {
        this.#output += text;
        this.#tell();
      });
    }
    this.#child.once('close', (code, signal) => {
      this.#end = { code, signal };
      this.#tell();
    });
    this.#child.once('error', (error) => {
      this.#output += String(error);
      this.#end = { code: null, signal: null };
      this.#tell();
    });
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error(`it could not be started: ${this.#output}`);
    return this.#child.pid;
  }

  /** What it has printed so far, on both outputs. */
  get output(): string {
    return this.#output;
  }

  /** Waits until it has printed something, from an offset of the output on. Rejects when it ends before. */
  async printed(pattern: RegExp, from = 0): Promise<RegExpExecArray> {
    for (;;) {
      const found = pattern.exec(this.#output.slice(from));
      if (found !== null) return found;
      if (this.#end !== undefined)
        throw new Error(`it ended before it printed ${pattern}; it printed:\n${this.#output}`);
      await this.#change();
    }
  }

  /** Its exit code, or the signal that ended it, once all of its output has come. */
  async end(): Promise<number | NodeJS.Signals | null> {
    while (this.#end === undefined) await this.#change();
    return this.#end.code ?? this.#end.signal;
  }

  /** Signals the process alone, as `kill` does. */
  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Signals it and all that it has started, as a terminal does for Ctrl-C. */
  signalGroup(signal: NodeJS.Signals): void {
    try {
      process.kill(-this.pid, signal);
    } catch (error) {
      // ESRCH: all of them are gone.
      if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
    }
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
    this.#listeners.clear();
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => this.#listeners.add(resolve));
  }
}

/** `npm start -- …` without npm, as a user without npm on PATH would say it. */
export function startCommand(
  arguments_: readonly string[],
  options: { readonly directory?: string; readonly environment?: NodeJS.ProcessEnv } = {},
): DrivenCommand {
  const node = path.join(options.directory ?? PROJECT, 'node_modules', '.bin', 'node');
  return new DrivenCommand(node, ['local/main.ts', ...arguments_], options);
}

/** Waits until a start says that it is ready, and reads where. */
export async function whenReady(command: DrivenCommand, stateDirectory: string): Promise<Endpoints> {
  await command.printed(/Jobwire is ready/);
  // What the file holds is checked by its own test.
  return JSON.parse(await readFile(path.join(stateDirectory, 'endpoints.json'), 'utf8')) as Endpoints;
}

/** The numbers of the processes, the database above all, whose command line names a state folder. */
export async function processesOf(stateDirectory: string): Promise<readonly number[]> {
  const { stdout } = await promisify(execFile)('ps', ['-A', '-ww', '-o', 'pid=,args=']);
  return stdout
    .split('\n')
    .filter((line) => line.includes(stateDirectory))
    .map((line) => Number.parseInt(line, 10));
}
