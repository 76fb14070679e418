import type { S3Client } from '@aws-sdk/client-s3';
import { readEnvironment } from '../environment.ts';
import { UploadsBucket } from './uploads-bucket.ts';

/**
 * The bucket of uploads, as the environment names it to steps that read uploads: in the variant with a shared folder
 * only one of them does. @throws MissingVariableError.
 */
export function uploadsOfEnvironment(s3: S3Client): UploadsBucket {
  return new UploadsBucket({ client: s3, bucketName: readEnvironment(['uploadsBucket']).uploadsBucket });
}
