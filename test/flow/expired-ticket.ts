import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SecretTokens } from '../../handlers/aws/secret-tokens.ts';
import type { Administration } from '../../local/runtime/runtime.ts';

/** A ticket of the caller's, signed with the stack's own key an hour ago. */
export async function ticketOfAnHourAgo(administration: Administration): Promise<string> {
  const client = new SecretsManagerClient({
    endpoint: administration.secretsManager,
    region: administration.region,
    credentials: administration.credentials,
  });
  const tokens = new SecretTokens({
    client,
    secretArn: administration.physicalName('SigningSecret'),
    now: () => new Date(Date.now() - 3_600_000),
  });
  const { ticket } = await tokens.issueTicket({ kind: 'owner', subject: 'anonymous' });
  client.destroy();
  return ticket;
}
