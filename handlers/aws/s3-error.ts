import {
  ObjectChangedError,
  ObjectNotFoundError,
  type RefusedError,
  type UnavailableError,
} from '../errors.ts';
import { httpStatusOf, nameOf, translateServiceError } from './service-error.ts';

/** What a failed request for an object means. HEAD answers have no body, so their status must do. */
export function translateS3Error(
  key: string,
  error: unknown,
): ObjectNotFoundError | ObjectChangedError | UnavailableError | RefusedError {
  const name = nameOf(error);
  const status = httpStatusOf(error);
  // A missing bucket is a 404 too, but it is the deployment that is wrong then.
  if (name === 'NoSuchKey' || name === 'NotFound' || (status === 404 && name !== 'NoSuchBucket')) {
    return new ObjectNotFoundError(key, { cause: error });
  }
  if (name === 'PreconditionFailed' || status === 412) return new ObjectChangedError(key, { cause: error });
  return translateServiceError('S3', error);
}
