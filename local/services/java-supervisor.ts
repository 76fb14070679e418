/**
 * A process of its own that ends Java when the runtime is gone, however it went: the channel to the parent
 * closes even when the parent is killed with SIGKILL, and Java itself would notice nothing. It runs detached,
 * so that Ctrl-C in a terminal reaches the runtime alone and the runtime decides what stops when.
 *
 * Arguments: the Java command, then its arguments. Messages to the parent: `SupervisorMessage`.
 */
import { spawn } from 'node:child_process';

/** What the supervisor tells the runtime. */
export type SupervisorMessage =
  | { readonly kind: 'started'; readonly javaPid: number }
  | { readonly kind: 'not-started'; readonly code: string; readonly message: string };

/** Milliseconds that Java gets to end by itself (it takes about 350) before it is killed. */
const GRACE_MS = 3000;

const [, , command = 'java', ...javaArguments] = process.argv;
const java = spawn(command, javaArguments, {
  stdio: ['ignore', 'inherit', 'inherit'],
  windowsHide: true,
});

java.once('spawn', () => {
  if (java.pid !== undefined) tell({ kind: 'started', javaPid: java.pid });
});
java.once('error', (error: NodeJS.ErrnoException) => {
  tell({ kind: 'not-started', code: error.code ?? 'unknown', message: error.message });
  process.exitCode = 1;
  if (process.connected) process.disconnect();
});
java.once('exit', (code) => process.exit(code ?? 1));
process.once('disconnect', end);
process.once('SIGTERM', end);
process.once('SIGINT', end);
process.once('SIGHUP', end);

function end(): void {
  if (java.pid === undefined) return;
  java.kill('SIGTERM');
  setTimeout(() => java.kill('SIGKILL'), GRACE_MS);
}

function tell(message: SupervisorMessage): void {
  // Without a parent there is nobody to tell, and 'disconnect' ends us.
  process.send?.(message, () => undefined);
}

// The parent may have gone before this file was loaded.
if (process.send !== undefined && !process.connected) end();
