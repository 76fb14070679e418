import * as v from 'valibot';
import { StartError, UnsupportedTemplateError } from '../errors.ts';
import { decide } from '../permissions/policy.ts';
import {
  type Definition,
  functionArnsOf,
  parseDefinition,
  UnsupportedDefinitionError,
} from '../workflows/definition.ts';
import { attributeOf, readProperties, type Stack } from './properties.ts';
import { readRoleStatements } from './read-permissions.ts';
import { resourcesOfType, type TemplateResource } from './template.ts';

/** A state machine as the template declares it. */
export interface StateMachineDeclaration {
  readonly logicalId: string;
  readonly name: string;
  readonly arn: string;
  readonly roleArn: string;
  readonly definition: Definition;
}

const StateMachineSchema = v.strictObject({
  DefinitionString: v.pipe(v.string(), v.parseJson()),
  RoleArn: v.string(),
  StateMachineType: v.optional(v.literal('STANDARD'), 'STANDARD'),
});

/** What an execution logs and how it is traced change nothing here. */
const IGNORED = [
  'EncryptionConfiguration',
  'LoggingConfiguration',
  'StateMachineName',
  'Tags',
  'TracingConfiguration',
];

/**
 * The state machines of the template.
 * @throws UnsupportedTemplateError for a definition that would not run as in AWS, StartError when the role of one
 *   may not invoke a function of its definition: AWS would refuse each invocation.
 */
export function readStateMachines(stack: Stack): readonly StateMachineDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::StepFunctions::StateMachine').map((resource) => {
    const { DefinitionString, RoleArn } = readProperties(stack, resource, StateMachineSchema, IGNORED);
    const definition = readDefinition(resource, DefinitionString);
    const arn = attributeOf(stack, resource.logicalId, 'Arn');
    const statements = readRoleStatements(stack).get(RoleArn.slice(RoleArn.lastIndexOf('/') + 1)) ?? [];
    for (const functionArn of functionArnsOf(definition.States)) {
      if (decide(statements, 'lambda:InvokeFunction', functionArn) === 'allowed') continue;
      throw new StartError(
        `${arn} may not invoke ${functionArn}: the policies of ${RoleArn} do not allow lambda:InvokeFunction, and AWS would refuse each invocation`,
      );
    }
    const name = attributeOf(stack, resource.logicalId, 'Name');
    return { logicalId: resource.logicalId, name, arn, roleArn: RoleArn, definition };
  });
}

/** The error for a definition, with the resource that has it. */
export function refusedDefinition(
  resource: Pick<TemplateResource, 'logicalId'>,
  cause: Error,
): UnsupportedTemplateError {
  return new UnsupportedTemplateError(resource.logicalId, 'AWS::StepFunctions::StateMachine', cause.message, {
    cause,
  });
}

function readDefinition(resource: TemplateResource, value: unknown): Definition {
  try {
    return parseDefinition(value);
  } catch (error) {
    if (!(error instanceof UnsupportedDefinitionError)) throw error;
    throw refusedDefinition(resource, error);
  }
}
