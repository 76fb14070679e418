import * as v from 'valibot';
import { UnsupportedTemplateError } from '../errors.ts';
import type { Assembly } from './assembly.ts';
import { resolve, type Scope } from './intrinsics.ts';
import type { TemplateResource } from './template.ts';

/** A stack whose references can be resolved. */
export interface Stack extends Assembly {
  readonly scope: Scope;
}

/**
 * The properties of a resource, resolved and parsed. Schemas are strict: a property that the runtime would
 * not honour must be an error, never silence. Properties that cannot matter here are listed as `ignored`.
 * @throws UnsupportedTemplateError that names the property.
 */
export function readProperties<const Schema extends v.GenericSchema>(
  stack: Stack,
  resource: TemplateResource,
  schema: Schema,
  ignored: readonly string[] = [],
): v.InferOutput<Schema> {
  const relevant = Object.fromEntries(
    Object.entries(resource.properties).filter(([name]) => !ignored.includes(name)),
  );
  const result = v.safeParse(schema, resolve(relevant, stack.scope));
  if (result.success) return result.output;
  const [issue] = result.issues;
  const path = v.getDotPath(issue) ?? '';
  throw new UnsupportedTemplateError(
    resource.logicalId,
    resource.type,
    `its property ${path}: ${issue.message}`,
  );
}

/** What `Ref` says of a resource. */
export function referenceOf(stack: Stack, logicalId: string): string {
  return v.parse(v.string(), stack.scope.reference(logicalId));
}

/** What `Fn::GetAtt` says of a resource. */
export function attributeOf(stack: Stack, logicalId: string, name: string): string {
  return v.parse(v.string(), stack.scope.attribute(logicalId, name));
}

/** CloudFormation writes booleans and numbers as such or as text. */
export const FlagSchema = v.pipe(
  v.union([v.boolean(), v.picklist(['true', 'false'])]),
  v.transform((value) => value === true || value === 'true'),
);

/** See `FlagSchema`. */
export const NumberSchema = v.pipe(
  v.union([v.number(), v.string()]),
  v.transform(Number),
  v.number(),
  v.finite(),
);
