import { ConditionalCheckFailedException } from '@aws-sdk/client-dynamodb';
import type { RefusedError, UnavailableError } from '../errors.ts';
import { translateServiceError } from './service-error.ts';

const SERVICE = 'DynamoDB';

/** What a failed request to a table means: not now, or never. */
export function translateDynamoDbError(error: unknown): UnavailableError | RefusedError {
  return translateServiceError(SERVICE, error);
}

/** Whether a write was refused by its condition; the item that refused it is in `Item`. */
export function isConditionRefusal(error: unknown): error is ConditionalCheckFailedException {
  return error instanceof ConditionalCheckFailedException;
}

/** Runs a request to a table. @throws UnavailableError, RefusedError. */
export async function askDynamoDb<Answer>(request: () => Promise<Answer>): Promise<Answer> {
  try {
    return await request();
  } catch (error) {
    throw translateDynamoDbError(error);
  }
}
