import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { FunctionBundles, PageBundle } from '../../infrastructure/bundles.ts';
import { entriesOf, type FunctionName } from '../../infrastructure/entries.ts';
import { JobwireStack } from '../../infrastructure/jobwire-stack.ts';
import { readSettings } from '../../infrastructure/settings.ts';

/** The context that the CDK's command line takes from cdk.json. */
export const FLAGS: Readonly<Record<string, unknown>> = JSON.parse(
  readFileSync(new URL('../../cdk.json', import.meta.url), 'utf8'),
).context;

/** Every function of the default variant, and the path of its construct. */
export const FUNCTIONS = [
  ['api', 'HttpApi/Handler'],
  ['objectCreated', 'Uploaded/ObjectCreated'],
  ['process', 'Processing/Process'],
  ['publish', 'Publishing/Publish'],
  ['deliver', 'Publishing/Deliver'],
  ['authorize', 'SocketRoutes/Authorize'],
  ['socket', 'SocketRoutes/Socket'],
  ['sweep', 'Sweeping/Sweep'],
] as const satisfies readonly (readonly [name: FunctionName, path: string])[];

/** The name of the uploads bucket, where it is not referred to, in the words of `readable`. */
export const UPLOADS_BUCKET = 'jobwire-uploads-<part 2 of <AWS::StackId> by />';

/** A resource of a template. */
export interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
  readonly Metadata?: { readonly 'aws:cdk:path'?: string };
  readonly DependsOn?: readonly string[];
  readonly DeletionPolicy?: string;
}

/** The stack in an app of its own, with stand-ins for the bundles. Call `dispose` when done. */
export function createStack(context: Readonly<Record<string, unknown>> = {}): {
  readonly app: App;
  readonly stack: JobwireStack;
  dispose(): void;
} {
  const directory = mkdtempSync(join(tmpdir(), 'jobwire-test-'));
  const app = new App({
    context: { ...FLAGS, 'aws:cdk:enable-path-metadata': true, auth: 'open', ...context },
    outdir: join(directory, 'out'),
    autoSynth: false,
    // Seconds for each app, and once is enough: command-line.test.ts has it, with the bundles.
    builtinCloudFormationValidation: false,
  });
  const settings = readSettings(app.node);
  const stack = new JobwireStack(app, 'Jobwire', {
    settings,
    functions: standInFunctions(directory, Object.keys(entriesOf(settings))),
    page: standInPage(directory),
  });
  return { app, stack, dispose: () => rmSync(directory, { recursive: true, force: true }) };
}

function standInFunctions(directory: string, names: readonly string[]): FunctionBundles {
  const folders = names.map((name): [string, string] => {
    const folder = join(directory, name);
    mkdirSync(folder);
    writeFileSync(join(folder, 'index.cjs'), `exports.handler = async () => '${name}';\n`);
    return [name, folder];
  });
  return Object.fromEntries(folders) as FunctionBundles; // one for each name
}

function standInPage(directory: string): PageBundle {
  const assets = join(directory, 'page');
  mkdirSync(assets);
  writeFileSync(join(assets, 'main.js'), '');
  return { assets, index: '<meta content="{{api}}"><meta content="connect-src {{connect-sources}}">' };
}

/** A statement of a policy of ours: the local runtime evaluates exactly these members. */
interface Statement {
  readonly Effect: string;
  readonly Action: string | readonly string[];
  readonly Resource: unknown;
}

/** A synthesized template, and words for what its resources say to each other. */
export class SynthesizedStack {
  readonly template: Template;
  readonly resources: Readonly<Record<string, Resource>>;

  constructor(context: Readonly<Record<string, unknown>> = {}) {
    const { stack, dispose } = createStack(context);
    this.template = Template.fromStack(stack);
    this.resources = this.template.toJSON()['Resources'];
    dispose();
  }

  /** The resources of a type, by the path of their construct. */
  ofType(type: string): Readonly<Record<string, Resource>> {
    return Object.fromEntries(
      Object.entries(this.resources)
        .filter(([, resource]) => resource.Type === type)
        .map(([id, resource]) => [this.path(id), resource]),
    );
  }

  /** The properties of the resource of a type at a path. */
  properties(type: string, path: string): Readonly<Record<string, unknown>> {
    const resource = this.ofType(type)[path];
    if (resource === undefined) throw new Error(`${type} at ${path}: only ${Object.keys(this.ofType(type))}`);
    return resource.Properties;
  }

  /** `Jobs/Table` for a logical id. */
  path(id: string): string {
    const path = this.resources[id]?.Metadata?.['aws:cdk:path'] ?? id;
    return path.replace(/^Jobwire\//, '').replace(/\/Resource$/, '');
  }

  /** What a function (the path of its construct) may do: an action and a resource a line, but for its own log. */
  grants(path: string): string[] {
    const log = `logs:(CreateLogStream|PutLogEvents) <${path}/Log.Arn>`;
    return this.grantsOfRole(`${path}/Role`).filter((grant) => !new RegExp(`^${log}$`).test(grant));
  }

  /** What a role may do, sorted. Throws for a statement that says more than Allow, Action and Resource. */
  grantsOfRole(role: string): string[] {
    const statements = Object.values(this.ofType('AWS::IAM::Policy'))
      .filter((policy) => JSON.stringify(this.readable(policy.Properties['Roles'])) === `["<${role}>"]`)
      .flatMap((policy) => (policy.Properties['PolicyDocument'] as { Statement: Statement[] }).Statement);
    const grants = statements.flatMap((statement) => {
      const members = Object.keys(statement).sort().join();
      if (members !== 'Action,Effect,Resource' || statement.Effect !== 'Allow') {
        throw new Error(
          `${role}: ${JSON.stringify(statement)} says what the local runtime does not evaluate`,
        );
      }
      const resources = [statement.Resource].flat().map((resource) => this.readable(resource));
      return [statement.Action]
        .flat()
        .flatMap((action) => resources.map((resource) => `${action} ${resource}`));
    });
    return grants.sort();
  }

  /** A value with its references as `<Jobs/Table.Arn>`; pseudo parameters as `<AWS::Region>`. */
  readable(value: unknown): unknown {
    if (Array.isArray(value)) return value.map((item) => this.readable(item));
    if (typeof value !== 'object' || value === null) return value;
    const [entry, ...more] = Object.entries(value);
    if (entry !== undefined && more.length === 0) {
      const [name, argument] = entry;
      if (name === 'Ref') return `<${this.path(String(argument))}>`;
      if (name === 'Fn::GetAtt') return `<${this.path(argument[0])}.${argument[1]}>`;
      if (name === 'Fn::Split') return `${this.readable(argument[1])} by ${argument[0]}`;
      if (name === 'Fn::Select') return `<part ${argument[0]} of ${this.readable(argument[1])}>`;
      if (name === 'Fn::Join')
        return argument[1].map((item: unknown) => this.readable(item)).join(argument[0]);
    }
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.readable(item)]));
  }
}
