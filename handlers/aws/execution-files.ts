import type { S3Client } from '@aws-sdk/client-s3';
import { readEnvironment, readOneOf } from '../environment.ts';
import type { SharedFiles, Workspace } from '../workspace.ts';
import { createS3Client } from './clients.ts';
import { WorkspaceBucket } from './workspace-bucket.ts';
import { WorkspaceFolder } from './workspace-folder.ts';

/** Where the steps of an execution have their files; a shared folder has the payload as well. */
export type ExecutionFiles =
  | { readonly kind: 'folder'; readonly workspace: SharedFiles }
  | { readonly kind: 'bucket'; readonly workspace: Workspace; readonly s3: S3Client };

/**
 * The files of executions, as the environment says which variant of the workflow this is.
 * @throws MissingVariableError when it says neither.
 */
export function executionFiles(): ExecutionFiles {
  const { name, value } = readOneOf(['workspacePath', 'workspaceBucket']);
  if (name === 'workspacePath') return { kind: 'folder', workspace: sharedFiles() };
  const s3 = createS3Client();
  return { kind: 'bucket', workspace: new WorkspaceBucket({ client: s3, bucketName: value }), s3 };
}

/** The files of executions for a step that only the variant with a shared folder has. @throws MissingVariableError. */
export function sharedFiles(): SharedFiles {
  return new WorkspaceFolder(readEnvironment(['workspacePath']).workspacePath);
}
