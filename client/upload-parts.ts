import type { MultipartUpload, UploadedPart } from '../protocol/upload.ts';
import { UnexpectedAnswerError } from './errors.ts';
import { completeUpload, type UploadTarget } from './upload-calls.ts';
import { PartUrls } from './upload-part-urls.ts';
import { persist, type RetryPlatform } from './upload-retry.ts';
import { mayHaveExpired, type SendingPlatform, send } from './upload-send.ts';

/** What an upload in parts needs. */
export interface PartsUploadSettings {
  readonly platform: SendingPlatform & RetryPlatform;
  readonly target: UploadTarget;
  readonly file: Blob;
  readonly grant: MultipartUpload;
  /** What is there from an earlier attempt. */
  readonly uploaded: readonly UploadedPart[];
  /** How many parts are sent at a time. */
  readonly parallel: number;
  /** Hears of the bytes that the storage has or that have left. */
  readonly report: (sent: number) => void;
  /** Ends the upload; the upload aborts it itself where one part fails for good. */
  readonly stop: AbortController;
}

/** Sends a file in parts: several at a time, each tried again alone, those that are there left out. */
export class PartsUpload {
  readonly #settings: PartsUploadSettings;
  readonly #urls: PartUrls;
  /** Bytes of each part that have left. */
  readonly #sent = new Map<number, number>();

  constructor(settings: PartsUploadSettings) {
    this.#settings = settings;
    this.#urls = new PartUrls(settings.target, settings.grant, settings.uploaded, settings.stop.signal);
    for (const { partNumber, size } of settings.uploaded) this.#sent.set(partNumber, size);
  }

  /**
   * Sends what is missing and completes the upload.
   * @throws what `send`, `persist` and the API's calls throw; the reason of `stop`.
   */
  async run(): Promise<void> {
    const { platform, target, file, grant, parallel, stop } = this.#settings;
    const count = Math.max(1, Math.ceil(file.size / grant.partSize));
    const numbers = Array.from({ length: count }, (_, index) => index + 1);
    this.#report();
    const queue = numbers.values();
    try {
      await Promise.all(Array.from({ length: Math.max(1, parallel) }, () => this.#work(queue)));
    } catch (error) {
      stop.abort(error); // the others need not go on
      throw error;
    }
    const parts = numbers.map((partNumber) => ({ partNumber, etag: this.#urls.tagOf(partNumber) ?? '' }));
    await persist(platform, () => completeUpload(target, parts, stop.signal), stop.signal);
  }

  /** Takes one part after another; several of these share the queue. */
  async #work(queue: Iterable<number>): Promise<void> {
    const { platform, stop } = this.#settings;
    for (const partNumber of queue) {
      await persist(platform, () => this.#sendPart(partNumber), stop.signal);
    }
  }

  async #sendPart(partNumber: number): Promise<void> {
    const { file, grant } = this.#settings;
    const body = file.slice((partNumber - 1) * grant.partSize, partNumber * grant.partSize);
    for (let renewed = false; ; renewed = true) {
      const url = await this.#urls.urlOf(partNumber);
      if (url === undefined) break; // the storage has it: from an earlier attempt, or its answer was lost
      try {
        this.#urls.keepTag(partNumber, await this.#send(partNumber, url, body));
        break;
      } catch (error) {
        this.#note(partNumber, 0);
        // One that is fresh and refused stays refused.
        if (renewed || !mayHaveExpired(error)) throw error;
        this.#urls.forget();
      }
    }
    this.#note(partNumber, body.size);
  }

  async #send(partNumber: number, url: string, body: Blob): Promise<string> {
    const { platform, stop } = this.#settings;
    const sending = { method: 'PUT', url, headers: {}, body } as const;
    const tag = await send(
      platform,
      sending,
      (sent) => this.#note(partNumber, Math.min(sent, body.size)),
      stop.signal,
    );
    if (tag !== undefined) return tag;
    throw new UnexpectedAnswerError('the storage hides the ETag of a part: its CORS rules must expose it');
  }

  #note(partNumber: number, sent: number): void {
    this.#sent.set(partNumber, sent);
    this.#report();
  }

  #report(): void {
    let total = 0;
    for (const sent of this.#sent.values()) total += sent;
    this.#settings.report(total);
  }
}
