import { holdAlone } from './upload-lock.ts';

/**
 * Where it is kept which job a file is being uploaded for, so that the upload goes on after a reload: a page's
 * `localStorage`, or a store of your own, such as a Map. What is kept is text; it holds the job's token. Promises are
 * awaited.
 */
export interface UploadStore {
  get(key: string): string | undefined | Promise<string | undefined>;
  set(key: string, value: string): unknown;
  delete(key: string): unknown;
}

/** The job of an upload that has begun. */
export interface RememberedUpload {
  readonly id: string;
  readonly token: string;
}

interface WebStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

/**
 * One upload's place in a store. A store that fails makes an upload one that cannot be resumed, no worse; so does one
 * whose place another upload holds at the moment.
 */
export class UploadMemory {
  readonly #store: UploadStore | undefined;
  readonly #key: string;
  readonly #release: () => void;

  private constructor(store: UploadStore | undefined, key: string, release: () => void) {
    this.#store = store;
    this.#key = key;
    this.#release = release;
  }

  /** Remembers nothing. */
  static none(): UploadMemory {
    return new UploadMemory(undefined, '', () => {});
  }

  /**
   * Takes the place of the upload that `identity` describes until `release` is called. Whoever sends the same file at
   * the same moment would otherwise share its job, and one of the two would end it for both.
   */
  static async hold(store: UploadStore | undefined, identity: string): Promise<UploadMemory> {
    if (store === undefined) return UploadMemory.none();
    const key = `jobwire.upload:${identity}`;
    const release = await holdAlone(store, key);
    return release === undefined ? UploadMemory.none() : new UploadMemory(store, key, release);
  }

  async recall(): Promise<RememberedUpload | undefined> {
    return await harmless(async () => {
      const text = await this.#store?.get(this.#key);
      return text === undefined ? undefined : readRemembered(text);
    });
  }

  async remember({ id, token }: RememberedUpload): Promise<void> {
    await harmless(async () => this.#store?.set(this.#key, JSON.stringify({ id, token })));
  }

  async forget(): Promise<void> {
    await harmless(async () => this.#store?.delete(this.#key));
  }

  /** Gives the place free for the next upload of the same file. */
  release(): void {
    this.#release();
  }
}

/** One object for all uploads of a page, by which `holdAlone` knows it. */
const PAGE_STORE: UploadStore = {
  get: (key) => surroundings().localStorage?.getItem(key) ?? undefined,
  set: (key, value) => surroundings().localStorage?.setItem(key, value),
  delete: (key) => surroundings().localStorage?.removeItem(key),
};

/** The browser's `localStorage`; undefined where there is none (Node), or the page may not use it. */
export function surroundingStore(): UploadStore | undefined {
  const { document, localStorage } = surroundings();
  // Node's is a file of its own.
  return document === undefined || localStorage === undefined ? undefined : PAGE_STORE;
}

function surroundings(): { readonly document?: unknown; readonly localStorage?: WebStorage } {
  try {
    // Node's types know neither, the browser's know both always: optional holds for both.
    const { document, localStorage } = globalThis as { document?: unknown; localStorage?: WebStorage };
    return { document, ...(localStorage === undefined ? {} : { localStorage }) };
  } catch {
    return {}; // a page whose storage is blocked is told so by a SecurityError
  }
}

function readRemembered(text: string): RememberedUpload | undefined {
  const { id, token } = Object(JSON.parse(text)) as Partial<Record<keyof RememberedUpload, unknown>>; // looked at below
  return typeof id === 'string' && typeof token === 'string' ? { id, token } : undefined;
}

async function harmless<Result>(use: () => Promise<Result>): Promise<Result | undefined> {
  try {
    return await use();
  } catch {
    return undefined; // full, blocked, or not ours: the upload begins anew then
  }
}
