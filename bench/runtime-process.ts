import { fileURLToPath } from 'node:url';
import { StartError } from '../local/errors.ts';
import { claimPorts } from '../local/runtime/ports.ts';
import { type Administration, type Runtime, startRuntime } from '../local/runtime/runtime.ts';
import { answerCalls } from './child-process.ts';

/** What a benchmark needs to know of the runtime. */
export interface RuntimeFacts {
  /** `http://127.0.0.1:<port>` of the HTTP API. */
  readonly api: string;
  /** Of the database, with every right. */
  readonly administration: Omit<Administration, 'physicalName'>;
  /** The physical name of the jobs table. */
  readonly jobsTable: string;
}

/** Where the runtime keeps its state. */
export interface RuntimeRequest {
  readonly stateDirectory: string;
}

/** Where the ports of the benchmarks' own runtime begin; those of `npm start` may be in use meanwhile. */
const FIRST_PORT = 8_480;

/** Two benchmarks may run at a time, and then some; ten ports each. */
const LAST_PORT = 8_980;

/** The calls that this process answers. */
export interface RuntimeProcess {
  start(request: RuntimeRequest): Promise<RuntimeFacts>;
  close(): Promise<void>;
}

let runtime: Runtime | undefined;

/* The local runtime in a process of its own, as `npm start` is, so that the load does not share its event loop. */
answerCalls<RuntimeProcess>({
  async start({ stateDirectory }) {
    runtime = await startRuntime({
      project: fileURLToPath(new URL('..', import.meta.url)),
      stateDirectory,
      // Looked for at the last moment: another benchmark, or a test, may begin in the same second.
      firstPort: await freePorts(),
      fresh: false,
      watch: false,
      log: () => {},
    });
    const { physicalName, ...administration } = runtime.administration;
    return { api: runtime.endpoints.api, administration, jobsTable: physicalName('JobsTable') };
  },
  async close() {
    await runtime?.close();
  },
});

/** The first of several free ports in a row. */
async function freePorts(): Promise<number> {
  for (let first = FIRST_PORT; ; first += 10) {
    try {
      await claimPorts(first);
      return first;
    } catch (error) {
      if (!(error instanceof StartError) || first >= LAST_PORT) throw error;
    }
  }
}
