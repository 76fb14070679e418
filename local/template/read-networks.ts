import * as v from 'valibot';
import { StartError } from '../errors.ts';
import { readProperties, referenceOf, type Stack } from './properties.ts';
import { resourcesOfType } from './template.ts';

const SubnetSchema = v.strictObject({ VpcId: v.string() });

const EndpointSchema = v.strictObject({
  VpcId: v.string(),
  VpcEndpointType: v.literal('Gateway'),
  ServiceName: v.string(),
});

/** Whether the template has a VPC with something in it. */
export function hasNetworks(stack: Stack): boolean {
  return resourcesOfType(stack.template, 'AWS::EC2::Subnet').length > 0;
}

/** Which services the functions of a VPC reach: those of its gateway endpoints, by the last part of their names. */
export class Networks {
  readonly #vpcs: ReadonlyMap<string, string>;
  readonly #endpoints: readonly { readonly vpc: string; readonly service: string }[];

  constructor(stack: Stack) {
    this.#vpcs = new Map(
      resourcesOfType(stack.template, 'AWS::EC2::Subnet').map((resource) => [
        referenceOf(stack, resource.logicalId),
        readProperties(stack, resource, SubnetSchema, [
          'AvailabilityZone',
          'CidrBlock',
          'MapPublicIpOnLaunch',
          'Tags',
        ]).VpcId,
      ]),
    );
    // Routes and policies of endpoints are not followed: every subnet has the endpoints of its VPC.
    this.#endpoints = resourcesOfType(stack.template, 'AWS::EC2::VPCEndpoint').map((resource) => {
      const { VpcId, ServiceName } = readProperties(stack, resource, EndpointSchema, [
        'PolicyDocument',
        'RouteTableIds',
        'Tags',
      ]);
      return { vpc: VpcId, service: ServiceName.slice(ServiceName.lastIndexOf('.') + 1) };
    });
  }

  /**
   * Such as `s3` and `dynamodb`, for a function in these subnets.
   * @throws StartError for a subnet that the template does not have.
   */
  reachableFrom(subnetIds: readonly string[]): ReadonlySet<string> {
    const vpcs = subnetIds.map((id) => {
      const vpc = this.#vpcs.get(id);
      if (vpc === undefined)
        throw new StartError(`The template refers to the subnet ${id}, which it does not have`);
      return vpc;
    });
    return new Set(this.#endpoints.flatMap(({ vpc, service }) => (vpcs.includes(vpc) ? [service] : [])));
  }
}
