/**
 * What `jobwire/react` offers. React itself is the application's.
 */
export type { JobSnapshot } from '../../react/job-snapshot.ts';
export * from '../../react/provider.ts';
export type { UploadSnapshot } from '../../react/upload-store.ts';
export * from '../../react/use-job.ts';
export * from '../../react/use-upload.ts';
