import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { inject } from 'vitest';
import type { InvocationReport } from '../../local/functions/invocation-report.ts';
import { type Runtime, startRuntime } from '../../local/runtime/runtime.ts';
import { freePorts } from './free-ports.ts';

/** This project's folder. */
export const PROJECT = fileURLToPath(new URL('../..', import.meta.url));

/** A runtime for one test file, with a state folder of its own. */
export interface RunningJobwire {
  readonly runtime: Runtime;
  readonly api: string;
  readonly socket: string;
  readonly dashboard: string;
  readonly stateDirectory: string;
  /** Every invocation so far. */
  readonly reports: readonly InvocationReport[];
  /** Every line that the runtime would have printed. */
  readonly lines: readonly string[];
  close(): Promise<void>;
  /** Stops it and starts it anew, with what it knew. */
  restart(context: Readonly<Record<string, string>>): Promise<RunningJobwire>;
}

/** Starts the template of this project, with these settings of it besides. */
export async function startJobwire(context: Readonly<Record<string, string>> = {}): Promise<RunningJobwire> {
  return await startOn(await mkdtemp(path.join(tmpdir(), 'jobwire-')), context);
}

async function startOn(
  stateDirectory: string,
  context: Readonly<Record<string, string>>,
): Promise<RunningJobwire> {
  const reports: InvocationReport[] = [];
  const lines: string[] = [];
  const runtime = await startRuntime({
    project: PROJECT,
    stateDirectory,
    firstPort: await freePorts(),
    fresh: false,
    watch: false,
    context,
    assemblies: inject('assemblies'),
    log: (line) => lines.push(line),
    onReport: (report) => reports.push(report),
  });
  return {
    runtime,
    ...runtime.endpoints,
    stateDirectory,
    reports,
    lines,
    async close() {
      await runtime.close();
      await rm(stateDirectory, { recursive: true, force: true });
    },
    async restart(next) {
      await runtime.close();
      return await startOn(stateDirectory, next);
    },
  };
}
