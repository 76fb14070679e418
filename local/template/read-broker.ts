import * as v from 'valibot';
import { attributeOf, FlagSchema, readProperties, referenceOf, type Stack } from './properties.ts';
import type { InvokePermissions } from './read-permissions.ts';
import { resourcesOfType } from './template.ts';

/** A custom authorizer of IoT Core, as the template declares it. */
export interface IotAuthorizerDeclaration {
  readonly name: string;
  readonly functionArn: string;
}

/** An authorizer that expects signed tokens has properties besides, which are not supported here. */
const AuthorizerSchema = v.strictObject({
  AuthorizerFunctionArn: v.string(),
  SigningDisabled: v.pipe(FlagSchema, v.literal(true, 'signed tokens are not supported locally')),
  Status: v.literal('ACTIVE', 'IoT Core asks active authorizers only'),
});

/**
 * The custom authorizers of the template.
 * @throws UnsupportedTemplateError; StartError where IoT Core may not invoke a function
 */
export function readIotAuthorizers(
  stack: Stack,
  permissions: InvokePermissions,
): readonly IotAuthorizerDeclaration[] {
  return resourcesOfType(stack.template, 'AWS::IoT::Authorizer').map((resource) => {
    const properties = readProperties(stack, resource, AuthorizerSchema, ['AuthorizerName', 'Tags']);
    const functionArn = properties.AuthorizerFunctionArn;
    permissions.require('iot', attributeOf(stack, resource.logicalId, 'Arn'), functionArn);
    return { name: referenceOf(stack, resource.logicalId), functionArn };
  });
}
