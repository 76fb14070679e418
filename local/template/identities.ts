import { createHash } from 'node:crypto';
import { ACCOUNT, REGION } from '../account.ts';
import { StartError, UnsupportedTemplateError } from '../errors.ts';
import { resolve, type Scope } from './intrinsics.ts';
import { secretNameOf } from './read-storage.ts';
import type { Template, TemplateResource } from './template.ts';

/** Where each service of this machine answers, as `127.0.0.1:<port>`. */
export interface Hosts {
  readonly page: string;
  readonly httpApi: string;
  readonly socketApi: string;
  readonly storage: string;
  readonly queues: string;
  /** The ARN of a secret by its name: Secrets Manager makes it up when it creates the secret. */
  readonly secretArn: (name: string) => string;
}

/** What a resource is called once it exists. */
interface Identity {
  /** The value of `Ref`. */
  readonly reference: string;
  /** The values of `Fn::GetAtt`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/**
 * The physical names of a template's resources. They follow from the stack and the logical id, so every
 * reference can be resolved before anything is created, and a restart finds the same tables and buckets.
 */
export function createScope(stackName: string, template: Template, hosts: Hosts): Scope {
  const pseudoParameters: Readonly<Record<string, string>> = {
    'AWS::AccountId': ACCOUNT,
    'AWS::Region': REGION,
    'AWS::Partition': 'aws',
    'AWS::URLSuffix': 'amazonaws.com',
    'AWS::StackName': stackName,
    'AWS::StackId': `arn:aws:cloudformation:${REGION}:${ACCOUNT}:stack/${stackName}/local`,
  };
  const identityOf = (logicalId: string): Identity => {
    const resource = template.resources.get(logicalId);
    if (resource === undefined)
      throw new StartError(`The template refers to ${logicalId}, which it does not have`);
    const build = IDENTITIES[resource.type];
    return build === undefined
      ? { reference: logicalId, attributes: {} }
      : build({ resource, stackName, hosts, scope });
  };
  const scope: Scope = {
    reference(name) {
      if (Object.hasOwn(pseudoParameters, name)) return pseudoParameters[name];
      if (name === 'AWS::NoValue') return undefined;
      if (template.parameters.has(name)) return template.parameters.get(name);
      return identityOf(name).reference;
    },
    attribute(logicalId, name) {
      const value = identityOf(logicalId).attributes[name];
      if (value !== undefined) return value;
      const type = template.resources.get(logicalId)?.type ?? 'missing';
      throw new UnsupportedTemplateError(logicalId, type, `its attribute ${name} is not supported`);
    },
  };
  return scope;
}

interface Naming {
  readonly resource: TemplateResource;
  readonly stackName: string;
  readonly hosts: Hosts;
  readonly scope: Scope;
}

/** A name that the template gives, or one made from the stack and the logical id. */
function nameOf({ resource, stackName, scope }: Naming, property: string): string {
  const given = resolve(resource.properties[property], scope);
  return typeof given === 'string' ? given : `${stackName}-${resource.logicalId}`;
}

function arn(service: string, rest: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
}

/** Ids of APIs are ten lower-case letters and digits. */
function apiIdOf(naming: Naming): string {
  return digestOf(naming).slice(0, 10);
}

/** Ids of networks and file systems are a prefix and 17 hexadecimal digits. */
function idOf(naming: Naming, prefix: string): string {
  return `${prefix}-${digestOf(naming).slice(0, 17)}`;
}

function digestOf({ resource, stackName }: Naming): string {
  return createHash('sha256').update(`${stackName}/${resource.logicalId}`).digest('hex');
}

const IDENTITIES: Readonly<Record<string, (naming: Naming) => Identity>> = {
  'AWS::ApiGatewayV2::Api': (naming) => {
    const socket = naming.resource.properties['ProtocolType'] === 'WEBSOCKET';
    const endpoint = socket ? `ws://${naming.hosts.socketApi}` : `http://${naming.hosts.httpApi}`;
    return { reference: apiIdOf(naming), attributes: { ApiEndpoint: endpoint, ApiId: apiIdOf(naming) } };
  },
  'AWS::ApiGatewayV2::Stage': (naming) => ({ reference: nameOf(naming, 'StageName'), attributes: {} }),
  'AWS::CloudFront::Distribution': (naming) => ({
    reference: naming.resource.logicalId,
    attributes: { DomainName: naming.hosts.page, Id: naming.resource.logicalId },
  }),
  'AWS::CloudFront::OriginAccessControl': (naming) => ({
    reference: naming.resource.logicalId,
    attributes: { Id: naming.resource.logicalId },
  }),
  'AWS::DynamoDB::Table': (naming) => {
    const name = nameOf(naming, 'TableName');
    const tableArn = arn('dynamodb', `table/${name}`);
    return { reference: name, attributes: { Arn: tableArn, StreamArn: `${tableArn}/stream/local` } };
  },
  'AWS::EC2::SecurityGroup': (naming) => {
    const id = idOf(naming, 'sg');
    return { reference: id, attributes: { GroupId: id, Id: id } };
  },
  'AWS::EC2::Subnet': (naming) => {
    const id = idOf(naming, 'subnet');
    return { reference: id, attributes: { SubnetId: id } };
  },
  'AWS::EC2::VPC': (naming) => {
    const id = idOf(naming, 'vpc');
    return { reference: id, attributes: { VpcId: id } };
  },
  'AWS::EFS::AccessPoint': (naming) => {
    const id = idOf(naming, 'fsap');
    return {
      reference: id,
      attributes: { AccessPointId: id, Arn: arn('elasticfilesystem', `access-point/${id}`) },
    };
  },
  'AWS::EFS::FileSystem': (naming) => {
    const id = idOf(naming, 'fs');
    return {
      reference: id,
      attributes: { FileSystemId: id, Arn: arn('elasticfilesystem', `file-system/${id}`) },
    };
  },
  'AWS::Events::Rule': (naming) => {
    const name = nameOf(naming, 'Name');
    return { reference: name, attributes: { Arn: arn('events', `rule/${name}`) } };
  },
  'AWS::IAM::Role': (naming) => {
    const name = nameOf(naming, 'RoleName');
    return { reference: name, attributes: { Arn: `arn:aws:iam::${ACCOUNT}:role/${name}` } };
  },
  'AWS::IoT::Authorizer': (naming) => {
    const name = nameOf(naming, 'AuthorizerName');
    return { reference: name, attributes: { Arn: arn('iot', `authorizer/${name}`) } };
  },
  'AWS::Lambda::Function': (naming) => {
    const name = nameOf(naming, 'FunctionName');
    return { reference: name, attributes: { Arn: arn('lambda', `function:${name}`) } };
  },
  'AWS::Logs::LogGroup': (naming) => {
    const name = nameOf(naming, 'LogGroupName');
    return { reference: name, attributes: { Arn: arn('logs', `log-group:${name}:*`) } };
  },
  'AWS::S3::Bucket': (naming) => {
    // Bucket names are lower case and at most 63 characters.
    const name = nameOf(naming, 'BucketName').toLowerCase().slice(0, 63);
    return {
      reference: name,
      // Path style: the bucket is no part of the host on this machine.
      attributes: {
        Arn: `arn:aws:s3:::${name}`,
        DomainName: naming.hosts.storage,
        RegionalDomainName: naming.hosts.storage,
      },
    };
  },
  'AWS::SecretsManager::Secret': (naming) => {
    const secretArn = naming.hosts.secretArn(secretNameOf(naming.stackName, naming.resource));
    return { reference: secretArn, attributes: { Id: secretArn } };
  },
  'AWS::StepFunctions::StateMachine': (naming) => {
    const name = nameOf(naming, 'StateMachineName');
    const machineArn = arn('states', `stateMachine:${name}`);
    return { reference: machineArn, attributes: { Arn: machineArn, Name: name } };
  },
  'AWS::SNS::Topic': (naming) => {
    const topicArn = arn('sns', nameOf(naming, 'TopicName'));
    return {
      reference: topicArn,
      attributes: { TopicArn: topicArn, TopicName: nameOf(naming, 'TopicName') },
    };
  },
  'AWS::SQS::Queue': (naming) => {
    const name = nameOf(naming, 'QueueName');
    const url = `http://${naming.hosts.queues}/${ACCOUNT}/${name}`;
    return { reference: url, attributes: { Arn: arn('sqs', name), QueueName: name, QueueUrl: url } };
  },
};
