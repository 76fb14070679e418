import type { Upload } from '../protocol/http.ts';
import type { MultipartUpload, UploadedPart } from '../protocol/upload.ts';
import { UnexpectedAnswerError } from './errors.ts';
import { readUpload, type UploadTarget } from './upload-calls.ts';

/**
 * Where each part goes, and the entity tags of those that are there. An answer names a few hundred parts, and its
 * URLs live for an hour: whatever is not known any more, or not yet, is asked for.
 */
export class PartUrls {
  readonly #target: UploadTarget;
  readonly #signal: AbortSignal;
  readonly #urls = new Map<number, string>();
  readonly #tags = new Map<number, string>();
  #asking: Promise<void> | undefined;

  constructor(
    target: UploadTarget,
    grant: MultipartUpload,
    uploaded: readonly UploadedPart[],
    signal: AbortSignal,
  ) {
    this.#target = target;
    this.#signal = signal;
    this.#learn(uploaded, grant);
  }

  /** The tag of a part that the storage has. */
  tagOf(partNumber: number): string | undefined {
    return this.#tags.get(partNumber);
  }

  /** Keeps the tag that the storage answered a part with. */
  keepTag(partNumber: number, tag: string): void {
    this.#tags.set(partNumber, tag);
    this.#urls.delete(partNumber);
  }

  /**
   * The URL of a part; undefined where the storage has the part.
   * @throws what `HttpApi` throws; UnexpectedAnswerError where the API names no URL for a part that is missing.
   */
  async urlOf(partNumber: number): Promise<string | undefined> {
    for (let asked = false; ; ) {
      const url = this.#urls.get(partNumber);
      if (url !== undefined || this.#tags.has(partNumber)) return url;
      if (asked) throw new UnexpectedAnswerError(`the API names no URL for part ${partNumber}`);
      // Several parts may lack their URL at once: one asks, and who is not in its answer asks next.
      if (this.#asking === undefined) {
        asked = true;
        this.#asking = this.#ask(partNumber).finally(() => {
          this.#asking = undefined;
        });
      }
      await this.#asking;
    }
  }

  /** Forgets all URLs: they were signed together and expire together. */
  forget(): void {
    this.#urls.clear();
  }

  async #ask(from: number): Promise<void> {
    const { upload, uploaded } = await readUpload(this.#target, from, this.#signal);
    this.#learn(uploaded, upload);
  }

  #learn(uploaded: readonly UploadedPart[], upload: Upload | undefined): void {
    for (const { partNumber, etag } of uploaded) this.#tags.set(partNumber, etag);
    if (upload?.method !== 'MULTIPART') return;
    for (const { partNumber, url } of upload.parts) this.#urls.set(partNumber, url);
  }
}
