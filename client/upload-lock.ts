/** The part of the Web Locks API that this needs. */
interface PageLocks {
  request(
    name: string,
    options: { readonly ifAvailable: true },
    callback: (lock: unknown) => Promise<void> | undefined,
  ): Promise<unknown>;
}

/** The keys that are held on this page or in this process, by what they are keys of. */
const HELD = new WeakMap<object, Set<string>>();

/**
 * Takes `key` of `owner` if nobody has it: on this page, or, where there are Web Locks, in any tab of this origin. A
 * tab that is closed or dies has it no more.
 * @returns how to give it free; undefined where somebody has it. Never rejects.
 */
export async function holdAlone(owner: object, key: string): Promise<(() => void) | undefined> {
  const held = HELD.get(owner) ?? new Set();
  HELD.set(owner, held);
  if (held.has(key)) return undefined;
  held.add(key);
  const release = await holdAmongTabs(key);
  if (release === undefined) held.delete(key);
  return (
    release &&
    (() => {
      held.delete(key);
      release();
    })
  );
}

function holdAmongTabs(key: string): Promise<(() => void) | undefined> {
  const nothingToRelease = () => {};
  // Node's types know no document, and its locks have no tabs; the browser's know both always.
  const { document, navigator } = globalThis as {
    readonly document?: unknown;
    readonly navigator?: { readonly locks?: PageLocks };
  };
  const locks = document === undefined ? undefined : navigator?.locks;
  if (locks === undefined) return Promise.resolve(nothingToRelease);
  return new Promise((resolve) => {
    const hold = (lock: unknown) => {
      if (lock !== null) return new Promise<void>((release) => resolve(release)); // held until it settles
      resolve(undefined);
      return undefined;
    };
    // A frame that may not use locks has no storage to share either.
    locks.request(key, { ifAvailable: true }, hold).catch(() => resolve(nothingToRelease));
  });
}
