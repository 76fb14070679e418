import { ConnectionGoneError, type RefusedError, type UnavailableError } from '../errors.ts';
import { httpStatusOf, nameOf, translateServiceError } from './service-error.ts';

/**
 * What a failed request to a connection means. API Gateway's 410 has an empty body, and its name comes from
 * a header that not every server sends, so the status counts as much (aws-facts 2).
 */
export function translateConnectionError(
  connection: string,
  error: unknown,
): ConnectionGoneError | UnavailableError | RefusedError {
  if (nameOf(error) === 'GoneException' || httpStatusOf(error) === 410) {
    return new ConnectionGoneError(connection, { cause: error });
  }
  return translateServiceError('API Gateway', error);
}
