import { CommandError } from './errors.ts';
import { EXIT } from './exit-codes.ts';

/**
 * The output `api` of a deployed stack. Region and credentials come from where every AWS tool takes them
 * (`AWS_REGION`, `AWS_PROFILE`, …). The SDK is loaded here alone: it is more than all the rest of the command.
 * @throws CommandError when the stack cannot be read or is not one of Jobwire.
 */
export async function apiOfStack(name: string): Promise<string> {
  const { CloudFormationClient, DescribeStacksCommand } = await import('@aws-sdk/client-cloudformation');
  const client = new CloudFormationClient({});
  try {
    const { Stacks: stacks = [] } = await client.send(new DescribeStacksCommand({ StackName: name }));
    const outputs = stacks[0]?.Outputs ?? [];
    const api = outputs.find((output) => output.OutputKey === 'api')?.OutputValue;
    if (api !== undefined) return api;
  } catch (cause) {
    throw new CommandError(`The stack "${name}" cannot be read: ${sentence(cause)}`, EXIT.refused, { cause });
  } finally {
    client.destroy();
  }
  throw new CommandError(
    `The stack "${name}" has no output "api", so it is not one of Jobwire's (or not deployed to the end).`,
    EXIT.refused,
  );
}

function sentence(cause: unknown): string {
  if (!(cause instanceof Error)) return String(cause);
  if (cause.name === 'CredentialsProviderError') {
    return 'no AWS credentials were found; log in (aws sso login), or set AWS_PROFILE.';
  }
  if (/region is missing/i.test(cause.message)) return 'no Region is set; set AWS_REGION.';
  return cause.message;
}
