import { fileURLToPath } from 'node:url';
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

/** Where the runtime keeps its state and listens. */
export interface RuntimeRequest {
  readonly stateDirectory: string;
  readonly firstPort: number;
}

/** The calls that this process answers. */
export interface RuntimeProcess {
  start(request: RuntimeRequest): Promise<RuntimeFacts>;
  close(): Promise<void>;
}

let runtime: Runtime | undefined;

/* The local runtime in a process of its own, as `npm start` is, so that the load does not share its event loop. */
answerCalls<RuntimeProcess>({
  async start({ stateDirectory, firstPort }) {
    runtime = await startRuntime({
      project: fileURLToPath(new URL('..', import.meta.url)),
      stateDirectory,
      firstPort,
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
