import { expect, test } from 'vitest';
import { readEnvironment, readOneOf } from '../../handlers/environment.ts';

test('a variable that is not set is named', () => {
  expect(readEnvironment(['jobsTable'], { JOBS_TABLE: 'jobs' })).toEqual({ jobsTable: 'jobs' });
  expect(() => readEnvironment(['jobsTable', 'auth'], { JOBS_TABLE: 'jobs', AUTH: '' })).toThrow(/AUTH/);
});

test('of several variables the one that is set says which variant this is', () => {
  const names = ['workspacePath', 'workspaceBucket'] as const;
  expect(readOneOf(names, { WORKSPACE_BUCKET: 'files' })).toEqual({
    name: 'workspaceBucket',
    value: 'files',
  });
  expect(readOneOf(names, { WORKSPACE_PATH: '/mnt/jobwire', WORKSPACE_BUCKET: '' }).name).toBe(
    'workspacePath',
  );
  expect(() => readOneOf(names, {})).toThrow(/WORKSPACE_PATH or WORKSPACE_BUCKET/);
});
