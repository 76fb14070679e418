import { type EnvironmentCredentials, readEnvironmentCredentials } from '../environment-credentials.ts';

/**
 * What bundles hold in place of `@aws-sdk/credential-provider-node` (infrastructure/bundles.ts): the credentials of
 * Lambda's environment, without the files, services and processes that the SDK would ask where there are none.
 * The provider rejects with MissingVariableError.
 */
export function defaultProvider(): () => Promise<EnvironmentCredentials> {
  return async () => readEnvironmentCredentials();
}
