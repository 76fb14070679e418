import { createScope } from '../../../local/template/identities.ts';
import type { Stack } from '../../../local/template/properties.ts';
import { parseTemplate } from '../../../local/template/template.ts';

const HOSTS = { page: '', httpApi: '', socketApi: '', storage: '', queues: '', secretArn: () => '' };

/** A stack called `Stack` of these resources, whose assets lie where `assets` says, by their object keys. */
export function stackOf(
  Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: object }>>,
  assets: Readonly<Record<string, string>> = {},
): Stack {
  const template = parseTemplate({ Resources });
  return {
    stackName: 'Stack',
    template,
    assets: new Map(Object.entries(assets)),
    scope: createScope('Stack', template, HOSTS),
  };
}

/** A role with one inline policy, which allows this. */
export function roleAllowing(
  actions: readonly string[],
  resource: unknown,
): { Type: string; Properties: object } {
  const Statement = [{ Effect: 'Allow', Action: actions, Resource: resource }];
  return {
    Type: 'AWS::IAM::Role',
    Properties: { Policies: [{ PolicyName: 'Policy', PolicyDocument: { Statement } }] },
  };
}
