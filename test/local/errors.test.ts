import { expect, it } from 'vitest';
import { StartError } from '../../local/errors.ts';
import { GatewaySettingsError } from '../../local/gateway/gateway-error.ts';
import { UnsupportedPolicyError } from '../../local/permissions/policy.ts';
import { DatabaseStartError, JavaMissingError } from '../../local/services/dynamodb-process.ts';
import { TableDiffersError } from '../../local/services/dynamodb-tables.ts';
import { SecretSettingsError } from '../../local/services/generated-secret.ts';
import { SecretsFileError } from '../../local/services/secrets-manager.ts';

it.each([
  JavaMissingError,
  DatabaseStartError,
  TableDiffersError,
  SecretsFileError,
  SecretSettingsError,
  UnsupportedPolicyError,
  GatewaySettingsError,
])('npm start prints the sentence of a $name alone: it is for the user to mend', (ErrorClass) => {
  const error = new ErrorClass('what to do');
  expect(error).toBeInstanceOf(StartError);
  expect(error.name).toBe(ErrorClass.name);
});
