import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { S3Client } from '@aws-sdk/client-s3';
import { SecretsManagerClient } from '@aws-sdk/client-secrets-manager';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SQSClient } from '@aws-sdk/client-sqs';

/**
 * The SDK's clients, with time-outs that leave a function time to answer. Region, credentials and local
 * endpoints (`AWS_ENDPOINT_URL_*`) come from the environment. Keep-alive is the SDK's default.
 */

/** A connection inside a Region opens in a few milliseconds; one that takes a second is lost. */
const CONNECTION_MILLISECONDS = 1_000;

/** Small requests are answered in milliseconds; three seconds leave room for two attempts within ten. */
const ANSWER_MILLISECONDS = 3_000;

/** How long S3 may take to begin its answer: up to some seconds while a bucket scales. */
const OBJECT_ANSWER_MILLISECONDS = 10_000;

/** Small requests: the first attempt and two more, the SDK's default, said here because time-outs count on it. */
const ATTEMPTS = 3;

const smallRequests = {
  maxAttempts: ATTEMPTS,
  requestHandler: {
    connectionTimeout: CONNECTION_MILLISECONDS,
    requestTimeout: ANSWER_MILLISECONDS,
    throwOnRequestTimeout: true, // without it a late answer is only a line in the log
  },
};

/** A client of DynamoDB. */
export function createDynamoDbClient(): DynamoDBClient {
  return new DynamoDBClient(smallRequests);
}

/** A client of SQS. */
export function createSqsClient(): SQSClient {
  return new SQSClient(smallRequests);
}

/**
 * The same client, made when it is first asked for: for functions that send to a queue only what did not go as it
 * should, and whose start would pay a millisecond for it every time.
 */
export function sqsClientAtFirstUse(): () => SQSClient {
  let client: SQSClient | undefined;
  return () => {
    client ??= createSqsClient();
    return client;
  };
}

/**
 * A client of Step Functions, made when it is first asked for: a job is cancelled rarely, and the start of the API
 * would pay for it every time.
 */
export function sfnClientAtFirstUse(): () => SFNClient {
  let client: SFNClient | undefined;
  return () => {
    client ??= new SFNClient(smallRequests);
    return client;
  };
}

/** A client of Secrets Manager. */
export function createSecretsManagerClient(): SecretsManagerClient {
  return new SecretsManagerClient(smallRequests);
}

/** A client of S3, for requests and for signing. */
export function createS3Client(): S3Client {
  return new S3Client({
    // By default a presigned URL carries the checksum of an empty body, and some servers hold the upload to
    // it (aws-facts 4, "Presigned PUT").
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: ATTEMPTS,
    requestHandler: {
      connectionTimeout: CONNECTION_MILLISECONDS,
      // Until the answer begins; a body may take as long as its reader does.
      requestTimeout: OBJECT_ANSWER_MILLISECONDS,
      throwOnRequestTimeout: true,
    },
  });
}
