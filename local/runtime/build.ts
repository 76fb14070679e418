import { rm } from 'node:fs/promises';
import path from 'node:path';
import { StartError } from '../errors.ts';
import { HOST } from '../services/running-service.ts';
import type { StateDirectory } from '../state-directory.ts';
import { type Assembly, readAssembly } from '../template/assembly.ts';
import { createScope } from '../template/identities.ts';
import type { Stack } from '../template/properties.ts';
import { copyReadyAssembly } from '../template/ready-assembly.ts';
import { refuseUnsupportedTypes } from '../template/resource-types.ts';
import { synthesize } from '../template/synthesize.ts';
import type { Ports } from './ports.ts';

/** Below the state folder. */
const FOLDER = 'cdk.out';

/** What is to be built. */
export interface BuildSettings {
  /** Settings of the app, added to those of `cdk.json`. */
  readonly context?: Readonly<Record<string, string>>;
  /** See `RuntimeSettings`. */
  readonly assemblies?: string;
}

/** Makes the template again and again, each time in a folder of its own: running functions keep theirs. */
export class Build {
  readonly #project: string;
  readonly #state: StateDirectory;
  readonly #ports: Ports;
  readonly #context: Readonly<Record<string, string>>;
  readonly #assemblies: string | undefined;
  #count = 0;

  constructor(
    project: string,
    state: StateDirectory,
    ports: Ports,
    { context = {}, assemblies }: BuildSettings,
  ) {
    this.#project = project;
    this.#state = state;
    this.#ports = ports;
    this.#context = { auth: 'open', ...context };
    this.#assemblies = assemblies;
  }

  /** Removes what earlier runs have built. */
  async clear(): Promise<void> {
    await rm(this.#state.folder(FOLDER), { recursive: true, force: true });
  }

  /**
   * The stack, whose secrets can be referred to once their names are resolved.
   * @throws StartError when it does not compile or holds what the runtime cannot run; the signal's reason.
   */
  async synthesize(
    signal?: AbortSignal,
  ): Promise<{ readonly stack: Stack; readonly secretNames: SecretNames }> {
    const assembly = await this.#assembly(signal);
    refuseUnsupportedTypes(assembly.template);
    const secretNames = new SecretNames();
    const scope = createScope(assembly.stackName, assembly.template, {
      page: `${HOST}:${this.#ports.page}`,
      httpApi: `${HOST}:${this.#ports.httpApi}`,
      socketApi: `${HOST}:${this.#ports.socketApi}`,
      storage: `${HOST}:${this.#ports.storage}`,
      queues: `${HOST}:${this.#ports.queues}`,
      secretArn: (name) => secretNames.arnOf(name),
    });
    return { stack: { ...assembly, scope }, secretNames };
  }

  async #assembly(signal: AbortSignal | undefined): Promise<Assembly> {
    const make = (folder: string, brokerPort: number) => {
      const contextOf = (ofProject: Readonly<Record<string, unknown>>) =>
        withBroker({ ...ofProject, ...this.#context }, brokerPort);
      return synthesize(this.#project, folder, contextOf, signal);
    };
    const folder = this.#state.folder(path.join(FOLDER, String(this.#count)));
    this.#count += 1;
    const assemblies = this.#assemblies;
    const { broker } = this.#ports;
    if (assemblies === undefined) await make(folder, broker);
    else await copyReadyAssembly({ assemblies, context: this.#context, broker, make }, folder);
    return await readAssembly(folder);
  }
}

/** Whoever deploys says where the account's broker is; here it is ours, whatever `cdk.json` says. */
function withBroker(
  context: Readonly<Record<string, unknown>>,
  port: number,
): Readonly<Record<string, unknown>> {
  const { iotEndpoint: _, ...others } = context;
  if (context['broadcast'] !== 'iot-core') return others;
  return { ...others, iotEndpoint: `http://${HOST}:${port}` };
}

/** The ARNs of secrets, which exist only once Secrets Manager runs. */
export class SecretNames {
  #arnOf: ((name: string) => string) | undefined;

  resolve(arnOf: (name: string) => string): void {
    this.#arnOf = arnOf;
  }

  arnOf(name: string): string {
    if (this.#arnOf === undefined) throw new StartError(`The secret ${name} is referred to before it exists`);
    return this.#arnOf(name);
  }
}
