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
  readonly administration: Omit<Administration, 'physicalName' | 'fileSystem'>;
  /** The physical name of the jobs table. */
  readonly jobsTable: string;
}

/** Where the runtime keeps its state, and what of the settings differs from the default. */
export interface RuntimeRequest {
  readonly stateDirectory: string;
  /** By their names in infrastructure/settings.ts. */
  readonly context: Readonly<Record<string, string>>;
  /** Free ports are looked for from here on; who starts two at a time keeps them apart. */
  readonly portsFrom: number;
}

/** What has been done since it was last asked. */
export interface RuntimeWork {
  /** Requests to S3, by operation, bucket and key. */
  readonly storage: readonly {
    readonly kind: string;
    readonly bucket: string;
    readonly key: string;
    /** Of the answer. */
    readonly bytes: number;
  }[];
  /** Invocations of functions, with the milliseconds that each took. */
  readonly invocations: readonly { readonly functionName: string; readonly milliseconds: number }[];
}

/** Two benchmarks may run at a time, and then some; ten ports each. */
const PORTS = 500;

/** The folder of assemblies that several starts share, if they do; see `RuntimeSettings`. */
const ASSEMBLIES = process.env['JOBWIRE_ASSEMBLIES'];

/** The calls that this process answers. */
export interface RuntimeProcess {
  start(request: RuntimeRequest): Promise<RuntimeFacts>;
  takeWork(): RuntimeWork;
  close(): Promise<void>;
}

let runtime: Runtime | undefined;
const storage: RuntimeWork['storage'][number][] = [];
const invocations: RuntimeWork['invocations'][number][] = [];

/* The local runtime in a process of its own, as `npm start` is, so that the load does not share its event loop. */
answerCalls<RuntimeProcess>({
  async start({ stateDirectory, context, portsFrom }) {
    runtime = await startRuntime({
      project: fileURLToPath(new URL('..', import.meta.url)),
      stateDirectory,
      // Looked for at the last moment: another benchmark, or a test, may begin in the same second.
      firstPort: await freePorts(portsFrom),
      fresh: false,
      watch: false,
      context,
      ...(ASSEMBLIES === undefined ? {} : { assemblies: ASSEMBLIES }),
      log: () => {},
      onStorageRequest({ operation, bytes }) {
        const { bucket = '', key = '' } = { ...operation } as {
          readonly bucket?: string;
          readonly key?: string;
        }; // a part of each
        storage.push({ kind: operation.kind, bucket, key, bytes });
      },
      onReport: ({ functionName, durationMs }) =>
        invocations.push({ functionName, milliseconds: durationMs }),
    });
    const { physicalName, fileSystem: _, ...administration } = runtime.administration;
    return { api: runtime.endpoints.api, administration, jobsTable: physicalName('JobsTable') };
  },
  takeWork: () => ({ storage: storage.splice(0), invocations: invocations.splice(0) }),
  async close() {
    await runtime?.close();
  },
});

/** The first of several free ports in a row. */
async function freePorts(from: number): Promise<number> {
  for (let first = from; ; first += 10) {
    try {
      await claimPorts(first);
      return first;
    } catch (error) {
      if (!(error instanceof StartError) || first >= from + PORTS) throw error;
    }
  }
}
