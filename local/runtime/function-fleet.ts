import { REGION } from '../account.ts';
import { StartError } from '../errors.ts';
import type { InvocationReport } from '../functions/invocation-report.ts';
import { LambdaFunction } from '../functions/lambda-function.ts';
import type { FunctionDeployment } from '../functions/settings.ts';
import type { PolicyStatement } from '../permissions/policy.ts';
import { functionPrincipal, type Principal } from '../permissions/principal.ts';
import type { Stack } from '../template/properties.ts';
import { type FunctionDeclaration, readFunctions } from '../template/read-functions.ts';
import { readRoleStatements } from '../template/read-permissions.ts';

/** Where the functions' AWS clients go to: the values of the SDK's own `AWS_ENDPOINT_URL_…` variables. */
export interface ServiceEndpoints {
  readonly AWS_ENDPOINT_URL_DYNAMODB: string;
  readonly AWS_ENDPOINT_URL_S3: string;
  readonly AWS_ENDPOINT_URL_SQS: string;
  readonly AWS_ENDPOINT_URL_SECRETS_MANAGER: string;
}

/** Settings of `FunctionFleet`. */
export interface FunctionFleetSettings {
  readonly endpoints: ServiceEndpoints;
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
    this.#deployments = this.#deploymentsOf(declarations);
    this.#functions = new Map(
      declarations.map(({ name, arn }) => [
        name,
        new LambdaFunction({
          ...this.#deploymentOf(name),
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
    const principal = this.#principals.find((candidate) => candidate.functionName === functionName);
    if (principal === undefined) throw new StartError(`The template has no function ${functionName}`);
    return principal;
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
   * bundle or settings have changed.
   */
  replace(stack: Stack): readonly string[] {
    const declarations = readFunctions(stack);
    const former = this.#deployments;
    this.#principals = principalsOf(stack, declarations, this.#settings.rootSecret);
    this.#deployments = this.#deploymentsOf(declarations);
    const changed = [...this.#functions].filter(
      ([name]) => JSON.stringify(former.get(name)) !== JSON.stringify(this.#deployments.get(name)),
    );
    for (const [name, lambda] of changed) lambda.replace(this.#deploymentOf(name));
    return changed.map(([name]) => name);
  }

  /** Lets running invocations finish for a moment and ends all functions. */
  async close(): Promise<void> {
    await Promise.all([...this.#functions.values()].map((lambda) => lambda.close()));
  }

  #deploymentOf(name: string): FunctionDeployment {
    const deployment = this.#deployments.get(name);
    if (deployment === undefined)
      throw new StartError(`The template no longer has the function ${name}: start again`);
    return deployment;
  }

  #deploymentsOf(declarations: readonly FunctionDeclaration[]): ReadonlyMap<string, FunctionDeployment> {
    return new Map(
      declarations.map((declaration) => [
        declaration.name,
        {
          bundle: declaration.bundle,
          handler: declaration.handler,
          timeoutMs: declaration.timeoutMs,
          memoryMb: declaration.memoryMb,
          environment: {
            ...declaration.environment,
            ...this.#settings.endpoints,
            ...this.#credentialsOf(declaration.name),
            AWS_REGION: REGION,
          },
          ...(declaration.reservedConcurrency === undefined
            ? {}
            : { maximumConcurrency: declaration.reservedConcurrency }),
        },
      ]),
    );
  }

  #credentialsOf(functionName: string): Readonly<Record<string, string>> {
    const { accessKeyId, secretAccessKey } = this.principalOf(functionName);
    return { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  }
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
