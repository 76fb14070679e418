import { RemovalPolicy } from 'aws-cdk-lib';
import type { CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';

/** The access log of an API's stage: one JSON object a request. Fields must hold no query string, for tickets come in one. */
export class AccessLog extends Construct {
  readonly settings: CfnStage.AccessLogSettingsProperty;

  constructor(scope: Construct, id: string, fields: Readonly<Record<string, `$context.${string}`>>) {
    super(scope, id);
    const logGroup = new LogGroup(this, 'Log', {
      retention: RetentionDays.ONE_MONTH,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.settings = { destinationArn: logGroup.logGroupArn, format: JSON.stringify(fields) };
  }
}
