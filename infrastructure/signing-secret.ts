import { Validations } from 'aws-cdk-lib';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import type { NodeFunction } from './node-function.ts';

/** The secret from which the keys of tokens and tickets are derived. It is generated in the account, and no template or log holds it. */
export class SigningSecret extends Construct {
  readonly arn: string;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    const secret = new Secret(this, 'Secret', {
      description: 'Jobwire: signs job tokens and connect tickets',
      generateSecretString: {
        passwordLength: 64, // letters and digits carry 5.9 bits each: more than the 256 bits that HS256 wants
        excludePunctuation: true,
      },
    });
    Validations.of(secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'Rotated by hand (docs/operating.md): functions accept the current and the previous version, and a rotation function would need write access to the secret all year round.',
    });
    this.arn = secret.secretArn;
  }

  /** Lets a function read the secret. */
  allowRead(reader: NodeFunction): void {
    reader.allow(['secretsmanager:GetSecretValue'], [this.arn]);
  }
}
