import { UnsupportedTemplateError } from '../errors.ts';
import type { Template } from './template.ts';

/** The resource types that the local runtime runs; each has its part of `local/`. */
export const RUNNING_TYPES: ReadonlySet<string> = new Set([
  'AWS::ApiGatewayV2::Api',
  'AWS::ApiGatewayV2::Authorizer',
  'AWS::ApiGatewayV2::Deployment',
  'AWS::ApiGatewayV2::Integration',
  'AWS::ApiGatewayV2::Route',
  'AWS::ApiGatewayV2::RouteResponse',
  'AWS::ApiGatewayV2::Stage',
  'AWS::CloudFront::Distribution',
  'AWS::CloudFront::ResponseHeadersPolicy',
  'AWS::DynamoDB::Table',
  'AWS::EC2::Subnet',
  'AWS::EC2::VPCEndpoint',
  'AWS::EFS::AccessPoint',
  'AWS::EFS::FileSystem',
  'AWS::Events::Rule',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::IoT::Authorizer',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Function',
  'AWS::Lambda::Permission',
  'AWS::S3::Bucket',
  'AWS::SecretsManager::Secret',
  'AWS::SQS::Queue',
  'AWS::StepFunctions::StateMachine',
  'Custom::CDKBucketDeployment',
]);

/** The resource types that have no behaviour on a laptop, and why that changes nothing for the others. */
export const TYPES_WITHOUT_BEHAVIOUR: ReadonlyMap<string, string> = new Map([
  ['AWS::ApiGateway::Account', 'only lets API Gateway write access logs'],
  ['AWS::CDK::Metadata', 'tells AWS which constructs were used'],
  ['AWS::CloudFront::CachePolicy', 'nothing is cached here: the page is served from the disk'],
  ['AWS::CloudFront::Function', 'the page is served without a CDN'],
  ['AWS::CloudFront::OriginAccessControl', 'the page is served without a CDN'],
  ['AWS::CloudWatch::Alarm', 'nobody is on call for a laptop'],
  ['AWS::CloudWatch::Dashboard', 'the figures are in the log'],
  ['AWS::EC2::Route', 'functions of a VPC reach what its endpoints name, whatever is routed'],
  ['AWS::EC2::RouteTable', 'functions of a VPC reach what its endpoints name, whatever is routed'],
  ['AWS::EC2::SecurityGroup', 'nothing but 127.0.0.1 is reached from here'],
  ['AWS::EC2::SecurityGroupEgress', 'nothing but 127.0.0.1 is reached from here'],
  ['AWS::EC2::SecurityGroupIngress', 'nothing but 127.0.0.1 is reached from here'],
  ['AWS::EC2::SubnetRouteTableAssociation', 'every subnet has the endpoints of its VPC'],
  ['AWS::EC2::VPC', 'it is told apart by the subnets of functions and by its endpoints'],
  ['AWS::EFS::MountTarget', 'a folder needs no network'],
  ['AWS::Lambda::LayerVersion', 'only the page deployment has one, and the runtime deploys the page itself'],
  ['AWS::Logs::LogGroup', 'functions log to the terminal'],
  ['AWS::Logs::ResourcePolicy', 'functions log to the terminal'],
  ['AWS::S3::BucketPolicy', 'the bucket refuses unsigned requests by itself'],
  ['AWS::SNS::Subscription', 'nobody is on call for a laptop'],
  ['AWS::SNS::Topic', 'nobody is on call for a laptop'],
  ['AWS::SNS::TopicPolicy', 'nobody is on call for a laptop'],
  ['AWS::SQS::QueuePolicy', 'only the functions of the template have credentials here'],
]);

/**
 * Looks through the whole template before anything is started.
 * @throws UnsupportedTemplateError that names the first resource of a type that is neither run nor without
 *   behaviour.
 */
export function refuseUnsupportedTypes(template: Template): void {
  for (const { logicalId, type } of template.resources.values()) {
    if (RUNNING_TYPES.has(type) || TYPES_WITHOUT_BEHAVIOUR.has(type)) continue;
    throw new UnsupportedTemplateError(logicalId, type, 'this resource type is not supported');
  }
}
