import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { endWithUs } from './left-behind.ts';

/** What a child process can be asked to do: named functions of one argument that survives structured cloning. */
export type ChildApi<Api> = {
  readonly [Name in keyof Api]: (argument: never) => unknown;
};

/** A child process that answers calls. */
export interface Child<Api extends ChildApi<Api>> {
  readonly pid: number;
  /** Rejects with what the function threw, by its text, and when the process ends before it answers. */
  call<Name extends keyof Api & string>(
    name: Name,
    ...argument: Parameters<Api[Name]>
  ): Promise<Awaited<ReturnType<Api[Name]>>>;
  /** Ends the process; settles when it is gone. */
  end(): Promise<void>;
}

/** How a child process is started. */
export interface ChildSettings {
  /** Options of Node, such as `--expose-gc`. */
  readonly nodeOptions?: readonly string[];
  /** Added to the environment of this process. */
  readonly environment?: Readonly<Record<string, string>>;
}

/** The child ended, or did not do what it was asked to. */
export class ChildProcessError extends Error {
  override readonly name = 'ChildProcessError';
}

/** How long a child may take to end by itself, in milliseconds. */
const END_PATIENCE_MS = 5_000;

interface Call {
  readonly id: number;
  readonly name: string;
  readonly argument: unknown;
}

type Answer =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };

/**
 * Starts a module that calls `answerCalls`, in a process of its own so that it is measured alone.
 * @param module file URL of the module
 */
export function startChild<Api extends ChildApi<Api>>(module: URL, settings: ChildSettings = {}): Child<Api> {
  const file = fileURLToPath(module);
  const child = fork(file, {
    execPath: process.execPath,
    // Those of this process (a test runner's, an inspector's) are not the child's.
    execArgv: [...(settings.nodeOptions ?? [])],
    env: { ...process.env, ...settings.environment },
    serialization: 'advanced',
  });
  endWithUs(child);
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const exited = new Promise<void>((resolve) => {
    const fail = (why: string, cause?: Error) => {
      for (const { reject } of waiting.values()) reject(new ChildProcessError(`${file} ${why}`, { cause }));
      waiting.clear();
      resolve();
    };
    child.once('error', (error) => fail('could not be started', error));
    child.once('exit', (code, signal) => fail(`ended with ${signal ?? code}`));
  });
  child.on('message', (message) => {
    // Sent by `answerCalls` below.
    const answer = message as Answer;
    const call = waiting.get(answer.id);
    waiting.delete(answer.id);
    if ('error' in answer) call?.reject(new ChildProcessError(answer.error));
    else call?.resolve(answer.value);
  });
  let calls = 0;
  return {
    pid: child.pid ?? 0,
    call<Name extends keyof Api & string>(name: Name, ...[argument]: Parameters<Api[Name]>) {
      const call = Promise.withResolvers<unknown>();
      calls += 1;
      waiting.set(calls, call);
      send(child, { id: calls, name, argument }, call.reject);
      // The child's module is compiled against the same type.
      return call.promise as Promise<Awaited<ReturnType<Api[Name]>>>;
    },
    async end() {
      // It ends by itself then, and writes its profile if it has one.
      if (child.connected) child.disconnect();
      const patience = setTimeout(() => child.kill('SIGKILL'), END_PATIENCE_MS);
      await exited;
      clearTimeout(patience);
    },
  };
}

/**
 * Makes this process answer the calls of the one that started it. It ends when that one does, and leaves Ctrl-C,
 * which a terminal sends to both, to it.
 */
export function answerCalls<Api extends ChildApi<Api>>(api: Api): void {
  process.on('SIGINT', () => {});
  process.once('disconnect', () => process.exit());
  process.on('message', async (message) => {
    // Sent by `startChild` above, for a name of the same type, with that function's argument.
    const { id, name, argument } = message as { id: number; name: keyof Api; argument: never };
    const answer = await attempt(id, () => api[name](argument));
    process.send?.(answer);
  });
}

async function attempt(id: number, run: () => unknown): Promise<Answer> {
  try {
    return { id, value: await run() };
  } catch (error) {
    return { id, error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
}

function send(child: ChildProcess, call: Call, refuse: (error: Error) => void): void {
  child.send(call, (error) => {
    if (error !== null) refuse(error);
  });
}
