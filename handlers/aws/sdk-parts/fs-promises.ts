/**
 * What bundles hold in place of `node:fs/promises` (infrastructure/bundles.ts). The SDK alone would read files, those
 * of a developer's machine in ~/.aws; in Lambda there are none, and what it needs is in the environment.
 */

/** Rejects as Node does where there is no such file, which is what the SDK expects to hear. */
export async function readFile(path: string): Promise<never> {
  throw Object.assign(new Error(`ENOENT: no such file or directory, open '${path}'`), {
    code: 'ENOENT',
    syscall: 'open',
    path,
  });
}
