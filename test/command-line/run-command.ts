import { spawn } from 'node:child_process';
import path from 'node:path';
import { PROJECT } from '../flow/running-jobwire.ts';

/** How a run of the command ended. */
export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** A run of the command that a test looks at while it goes on. */
export interface RunningCommand {
  readonly ended: Promise<CommandResult>;
  /** Resolves once standard error, or output, has had this. */
  printed(text: string): Promise<void>;
  interrupt(): void;
  /** Reads standard error no more, as `head -1` does not. */
  closeErrors(): void;
}

/** How the command is run. */
export interface CommandSetting {
  readonly cwd?: string;
  /** Beside what every process needs; nothing of this machine's settings of Jobwire. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The file of the command; its source unless told. */
  readonly file?: string;
}

/** Starts `jobwire` as a user does: a process of its own, whose output is no terminal. */
export function startCommand(arguments_: readonly string[], setting: CommandSetting = {}): RunningCommand {
  const { JOBWIRE_API: _api, JOBWIRE_TOKEN: _token, ...environment } = process.env;
  const file = setting.file ?? path.join(PROJECT, 'command-line', 'main.ts');
  const child = spawn(process.execPath, [file, ...arguments_], {
    cwd: setting.cwd ?? PROJECT,
    env: { ...environment, ...setting.environment },
  });
  const output = { stdout: '', stderr: '' };
  const listeners = new Set<() => void>();
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8');
    child[name].on('data', (text: string) => {
      output[name] += text;
      for (const listener of listeners) listener();
    });
  }
  child.stdin.end(setting.input ?? '');
  const ended = new Promise<CommandResult>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (exitCode) => resolve({ exitCode, ...output }));
  });
  return {
    ended,
    interrupt: () => child.kill('SIGINT'),
    closeErrors: () => child.stderr.destroy(),
    printed: (text) =>
      new Promise((resolve, reject) => {
        const look = () => {
          if (!`${output.stdout}${output.stderr}`.includes(text)) return;
          listeners.delete(look);
          resolve();
        };
        listeners.add(look);
        look();
        ended.then(
          () => reject(new Error(`it ended without ${text}: ${JSON.stringify(output)}`)),
          () => {},
        );
      }),
  };
}

/** Runs `jobwire` to its end. */
export function runCommand(
  arguments_: readonly string[],
  setting: CommandSetting = {},
): Promise<CommandResult> {
  return startCommand(arguments_, setting).ended;
}
