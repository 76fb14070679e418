import path from 'node:path';

/** A file system as a function sees it, and the folder of this machine that stands for it. */
export interface MountedFolder {
  /** Such as `/mnt/jobwire`. */
  readonly localMountPath: string;
  /** Absolute path of the folder. */
  readonly folder: string;
}

/**
 * The environment of a function, with the folder in place of the mount path in every variable that begins with it.
 * Worker threads share the machine's file system, on which `/mnt/…` does not exist (nor can be made, on most): who is
 * not told of the folder cannot see it. A handler that writes the path into its code, rather than reading it from
 * a variable, does not find it here.
 */
export function withMountedFolder(
  environment: Readonly<Record<string, string>>,
  { localMountPath, folder }: MountedFolder,
): Readonly<Record<string, string>> {
  return Object.fromEntries(
    Object.entries(environment).map(([name, value]) => {
      if (value !== localMountPath && !value.startsWith(`${localMountPath}/`)) return [name, value];
      return [name, path.join(folder, ...value.slice(localMountPath.length).split('/'))];
    }),
  );
}
