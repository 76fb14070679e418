import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { REGION } from '../account.ts';
import { StartError } from '../errors.ts';
import type { InvocationReport } from '../functions/invocation-report.ts';
import { LambdaFunction } from '../functions/lambda-function.ts';
import { withMountedFolder } from '../functions/mounted-folder.ts';
import type { FunctionDeployment } from '../functions/settings.ts';
import type { PolicyStatement } from '../permissions/policy.ts';
import { functionPrincipal, type Principal } from '../permissions/principal.ts';
import type { Stack } from '../template/properties.ts';
import { type MountDeclaration, readMounts } from '../template/read-file-systems.ts';
import { type FunctionDeclaration, readFunctions } from '../template/read-functions.ts';
import { Networks } from '../template/read-networks.ts';
import { readRoleStatements } from '../template/read-permissions.ts';

/** Where the functions' AWS clients go to: the values of the SDK's own `AWS_ENDPOINT_URL_…` variables. */
export interface ServiceEndpoints {
  readonly AWS_ENDPOINT_URL_DYNAMODB: string;
  readonly AWS_ENDPOINT_URL_S3: string;
  readonly AWS_ENDPOINT_URL_SQS: string;
  readonly AWS_ENDPOINT_URL_SECRETS_MANAGER: string;
  readonly AWS_ENDPOINT_URL_SFN: string;
}

/** The variable of each service by the last part of the name of its VPC endpoint, `com.amazonaws.<region>.<name>`. */
const ENDPOINT_VARIABLES: Readonly<Record<string, keyof ServiceEndpoints>> = {
  dynamodb: 'AWS_ENDPOINT_URL_DYNAMODB',
  s3: 'AWS_ENDPOINT_URL_S3',
  sqs: 'AWS_ENDPOINT_URL_SQS',
  secretsmanager: 'AWS_ENDPOINT_URL_SECRETS_MANAGER',
  states: 'AWS_ENDPOINT_URL_SFN',
};

/** Settings of `FunctionFleet`. */
export interface FunctionFleetSettings {
  readonly endpoints: ServiceEndpoints;
  /** The endpoint that functions of a VPC are told of a service which they do not reach. */
  readonly noRouteTo: (service: string) => string;
  /** Absolute path of the folder that stands for a file system, by the file system's id. */
  readonly folderOf: (fileSystemId: string) => string;
  readonly rootSecret: string;
  readonly log: (line: string) => void;
  readonly onReport: (report: InvocationReport) => void;
}

/** All functions of the template, each with its own credentials and environment. */
export class FunctionFleet {
  readonly #settings: FunctionFleetSettings;
  readonly #functions: ReadonlyMap<string, LambdaFunction>;
  #deployments: ReadonlyMap<string, FunctionDeployment>;
  #principals: readonly Principal[];

  constructor(stack: Stack, settings: FunctionFleetSettings) {
    this.#settings = settings;
    const declarations = readFunctions(stack);
    this.#principals = principalsOf(stack, declarations, settings.rootSecret);
    this.#deployments = this.#deploymentsOf(stack, declarations, this.#principals);
    this.#functions = new Map(
      declarations.map(({ name, arn }) => [
        name,
        new LambdaFunction({
          ...deploymentOf(this.#deployments, name),
          name,
          arn,
          log: settings.log,
          onReport: settings.onReport,
        }),
      ]),
    );
  }

  /** The credentials of every function. */
  get principals(): readonly Principal[] {
    return this.#principals;
  }

  /** The credentials of one function. */
  principalOf(functionName: string): Principal {
    return principalOf(this.#principals, functionName);
  }

  /** The names of all functions. */
  get names(): readonly string[] {
    return [...this.#functions.keys()];
  }

  /**
   * A function by its name or ARN.
   * @throws StartError when the template has none of that name.
   */
  find(nameOrArn: string): LambdaFunction {
    const name = nameOrArn.split(':').at(-1) ?? nameOrArn;
    const found = this.#functions.get(name);
    if (found === undefined)
      throw new StartError(`The template refers to ${nameOrArn}, which is none of its functions`);
    return found;
  }

  /**
   * Runs the functions from another template of the same functions. Answers with the names of those whose
   * bundle or settings have changed; the others go on as they are, from the folder that they have.
   * @throws StartError when a function is gone; then nothing has changed.
   */
  replace(stack: Stack): readonly string[] {
    const declarations = readFunctions(stack);
    const principals = principalsOf(stack, declarations, this.#settings.rootSecret);
    const deployments = this.#deploymentsOf(stack, declarations, principals);
    const changed = [...this.#functions].flatMap(([name, lambda]) => {
      const deployment = deploymentOf(deployments, name);
      return isSame(deployment, deploymentOf(this.#deployments, name)) ? [] : [{ name, lambda, deployment }];
    });
    this.#principals = principals;
    this.#deployments = new Map([
      ...this.#deployments,
      ...changed.map(({ name, deployment }) => [name, deployment] as const),
    ]);
    for (const { lambda, deployment } of changed) lambda.replace(deployment);
    return changed.map(({ name }) => name);
  }

  /** Lets running invocations finish for a moment and ends all functions. */
  async close(): Promise<void> {
    await Promise.all([...this.#functions.values()].map((lambda) => lambda.close()));
  }

  #deploymentsOf(
    stack: Stack,
    declarations: readonly FunctionDeclaration[],
    principals: readonly Principal[],
  ): ReadonlyMap<string, FunctionDeployment> {
    const networks = new Networks(stack);
    const mounts = readMounts(stack, declarations);
    return new Map(
      declarations.map((declaration) => [
        declaration.name,
        {
          bundle: declaration.bundle,
          handler: declaration.handler,
          timeoutMs: declaration.timeoutMs,
          memoryMb: declaration.memoryMb,
          environment: {
            ...this.#environmentOf(declaration, mounts.get(declaration.name)),
            ...this.#endpointsOf(declaration, networks),
            ...credentialsOf(principalOf(principals, declaration.name)),
            AWS_REGION: REGION,
          },
          ...(declaration.reservedConcurrency === undefined
            ? {}
            : { maximumConcurrency: declaration.reservedConcurrency }),
        },
      ]),
    );
  }

  #environmentOf(
    { environment }: FunctionDeclaration,
    mount: MountDeclaration | undefined,
  ): FunctionDeployment['environment'] {
    if (mount === undefined) return environment;
    const { fileSystemId, root, localMountPath } = mount;
    const folder = path.join(this.#settings.folderOf(fileSystemId), ...root.split('/'));
    mkdirSync(folder, { recursive: true }); // as an access point makes its root
    return withMountedFolder(environment, { localMountPath, folder });
  }

  #endpointsOf({ subnetIds }: FunctionDeclaration, networks: Networks): Readonly<Record<string, string>> {
    const { endpoints, noRouteTo } = this.#settings;
    if (subnetIds.length === 0) return { ...endpoints };
    const reachable = networks.reachableFrom(subnetIds);
    return Object.fromEntries(
      Object.entries(ENDPOINT_VARIABLES).map(([service, variable]) => [
        variable,
        reachable.has(service) ? endpoints[variable] : noRouteTo(service),
      ]),
    );
  }
}

function deploymentOf(
  deployments: ReadonlyMap<string, FunctionDeployment>,
  name: string,
): FunctionDeployment {
  const deployment = deployments.get(name);
  if (deployment === undefined)
    throw new StartError(`The template no longer has the function ${name}: start again`);
  return deployment;
}

/** Every synthesis has a folder of its own; the last part of a bundle's path is the digest of its content. */
function isSame(one: FunctionDeployment, other: FunctionDeployment): boolean {
  const [first, second] = [one, other].map((deployment) =>
    JSON.stringify({ ...deployment, bundle: path.basename(deployment.bundle) }),
  );
  return first === second;
}

function principalOf(principals: readonly Principal[], functionName: string): Principal {
  const principal = principals.find((candidate) => candidate.functionName === functionName);
  if (principal === undefined) throw new StartError(`The template has no function ${functionName}`);
  return principal;
}

function credentialsOf({ accessKeyId, secretAccessKey }: Principal): Readonly<Record<string, string>> {
  return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
}

function principalsOf(
  stack: Stack,
  declarations: readonly FunctionDeclaration[],
  rootSecret: string,
): readonly Principal[] {
  const statements: ReadonlyMap<string, readonly PolicyStatement[]> = readRoleStatements(stack);
  return declarations.map(({ name, roleName }) =>
    functionPrincipal({ functionName: name, rootSecret, statements: statements.get(roleName) ?? [] }),
  );
}
