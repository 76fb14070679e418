import { MissingVariableError } from '../errors.ts';

/** Who signs, and in which Region. The session token is there wherever the credentials are temporary. */
export interface EnvironmentCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
  readonly region: string;
}

/** Where Lambda puts the credentials of a function's role (Lambda guide, "Defined runtime environment variables"). */
const ACCESS_KEY_ID = 'AWS_ACCESS_KEY_ID';

/** The access key id that is in force. Every refresh brings another one, so it alone tells of a refresh. */
export function readAccessKeyId(): string | undefined {
  return process.env[ACCESS_KEY_ID];
}

/**
 * The credentials in the environment, which is where every function of ours has them: no other place is looked at.
 * @throws MissingVariableError.
 */
export function readEnvironmentCredentials(): EnvironmentCredentials {
  const sessionToken = process.env['AWS_SESSION_TOKEN'];
  return {
    accessKeyId: read(ACCESS_KEY_ID),
    secretAccessKey: read('AWS_SECRET_ACCESS_KEY'),
    ...(sessionToken ? { sessionToken } : {}), // empty is none
    region: read('AWS_REGION'),
  };
}

function read(variable: string): string {
  const value = process.env[variable];
  if (value === undefined || value === '')
    throw new MissingVariableError(variable, 'Lambda sets it; elsewhere whoever starts this code must');
  return value;
}
