import * as v from 'valibot';
import { StartError } from '../errors.ts';

const ResourceSchema = v.object({
  Type: v.string(),
  Properties: v.optional(v.record(v.string(), v.unknown()), {}),
  DependsOn: v.optional(v.union([v.string(), v.array(v.string())])),
  Condition: v.optional(v.string()),
  Metadata: v.optional(v.object({ 'aws:cdk:path': v.optional(v.string(), '') }), { 'aws:cdk:path': '' }),
});

const TemplateSchema = v.object({
  Resources: v.record(v.string(), ResourceSchema),
  Outputs: v.optional(v.record(v.string(), v.object({ Value: v.unknown() })), {}),
  Parameters: v.optional(
    v.record(v.string(), v.object({ Type: v.string(), Default: v.optional(v.unknown()) })),
    {},
  ),
});

/** One resource as the template has it: intrinsic functions are not resolved yet. */
export interface TemplateResource {
  readonly logicalId: string;
  readonly type: string;
  readonly properties: Readonly<Record<string, unknown>>;
  /** The path of its construct, such as `Jobwire/Publishing/Deliver/Function/Resource`; empty if unknown. */
  readonly constructPath: string;
}

/** A CloudFormation template, as far as the local runtime reads it. */
export interface Template {
  readonly resources: ReadonlyMap<string, TemplateResource>;
  /** The values of the outputs by name, unresolved. */
  readonly outputs: ReadonlyMap<string, unknown>;
  /** The defaults of the parameters by name. */
  readonly parameters: ReadonlyMap<string, unknown>;
}

/**
 * Reads a synthesized template.
 * @throws StartError when it is not a CloudFormation template.
 */
export function parseTemplate(value: unknown): Template {
  const parsed = v.safeParse(TemplateSchema, value);
  if (!parsed.success) {
    const issue = parsed.issues[0];
    throw new StartError(
      `The synthesized template cannot be read: ${v.getDotPath(issue) ?? ''} ${issue.message}`,
    );
  }
  const { Resources, Outputs, Parameters } = parsed.output;
  return {
    resources: new Map(
      Object.entries(Resources).map(([logicalId, resource]) => [
        logicalId,
        {
          logicalId,
          type: resource.Type,
          properties: resource.Properties,
          constructPath: resource.Metadata['aws:cdk:path'],
        },
      ]),
    ),
    outputs: new Map(Object.entries(Outputs).map(([name, output]) => [name, output.Value])),
    parameters: new Map(Object.entries(Parameters).map(([name, parameter]) => [name, parameter.Default])),
  };
}

/** The resources of one type, in the order of the template. */
export function resourcesOfType(template: Template, type: string): readonly TemplateResource[] {
  return [...template.resources.values()].filter((resource) => resource.type === type);
}
