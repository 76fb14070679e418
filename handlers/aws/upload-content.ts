import { Readable } from 'node:stream';
import { setTimeout as wait } from 'node:timers/promises';
import { GetObjectCommand, type GetObjectCommandOutput, type S3Client } from '@aws-sdk/client-s3';
import { MalformedDataError, ObjectChangedError, UnavailableError } from '../errors.ts';
import type { ByteRange } from '../workspace.ts';
import { translateS3Error } from './s3-error.ts';

/** How often in a row the content is asked for again without getting a byte of it. */
const ATTEMPTS = 4;

/** Which object, and how patiently. */
export interface ContentSettings {
  readonly client: S3Client;
  readonly bucketName: string;
  readonly key: string;
  /** The only entity tag that will do; by default that of the first answer. */
  readonly tag: string | undefined;
  /** The wait before the content is asked for again, in milliseconds; it doubles each time without a byte. */
  readonly firstWait: number;
  /** The bytes that are wanted; by default all. */
  readonly range?: ByteRange | undefined;
}

/**
 * An object's content, or a range of it, from its first byte to its last. S3 may drop a connection that lasts for minutes; the content
 * is then asked for from there on, as long as the object is still the same one, and its reader notices nothing.
 * @throws ObjectNotFoundError, ObjectChangedError, UnavailableError, RefusedError; the signal's reason.
 */
export async function openContent(settings: ContentSettings, signal: AbortSignal): Promise<Readable> {
  // HTTP has no range without bytes.
  if (settings.range !== undefined && settings.range.from >= settings.range.to)
    return Readable.from([], { objectMode: false });
  const first = await ask(settings, 0, signal);
  const content = new Content({ ...settings, tag: settings.tag ?? first.tag }, first, signal);
  const stream = Readable.from(content.chunks(), { objectMode: false });
  // A generator that was never begun does not reach its `finally`; the connection must be freed all the same.
  stream.once('close', () => content.destroy());
  return stream;
}

interface Answer {
  readonly body: Readable;
  /** Bytes of the body. */
  readonly size: number | undefined;
  readonly tag: string | undefined;
}

class Content {
  readonly #settings: ContentSettings;
  readonly #signal: AbortSignal;
  readonly #size: number | undefined;
  #body: Readable;
  #offset = 0;
  #attempts = 0;

  constructor(settings: ContentSettings, { body, size }: Answer, signal: AbortSignal) {
    this.#settings = settings;
    this.#signal = signal;
    this.#size = size;
    this.#body = body;
  }

  destroy(): void {
    this.#body.destroy();
  }

  async *chunks(): AsyncGenerator<Uint8Array> {
    const abort = () => this.destroy();
    this.#signal.addEventListener('abort', abort, { once: true });
    try {
      for (;;) {
        this.#signal.throwIfAborted();
        // Not around the `yield`: what the reader throws into it is no failure of S3.
        const chunks = this.#body[Symbol.asyncIterator]();
        for (;;) {
          const chunk = await this.#next(chunks);
          if (chunk === 'broken') break;
          if (chunk === undefined) return;
          yield chunk;
        }
      }
    } finally {
      this.#signal.removeEventListener('abort', abort);
      this.destroy();
    }
  }

  /** The next chunk; undefined at the end; `broken` when the content goes on in another answer. */
  async #next(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined | 'broken'> {
    try {
      const next = await chunks.next();
      this.#signal.throwIfAborted();
      if (next.done === true) return undefined;
      this.#offset += next.value.byteLength;
      this.#attempts = 0;
      return next.value;
    } catch (error) {
      this.#signal.throwIfAborted();
      if (this.#offset === this.#size) return undefined;
      await this.#resume(translateS3Error(this.#settings.key, error));
      return 'broken';
    }
  }

  /** @throws what went wrong last, when it went wrong too often or will not pass. */
  async #resume(failure: Error): Promise<void> {
    this.destroy();
    for (let last = failure; ; ) {
      if (!(last instanceof UnavailableError) || this.#attempts === ATTEMPTS) throw last;
      await pause(this.#settings.firstWait * 2 ** this.#attempts, this.#signal);
      this.#attempts += 1;
      try {
        this.#body = (await ask(this.#settings, this.#offset, this.#signal)).body;
        return;
      } catch (error) {
        this.#signal.throwIfAborted();
        if (!(error instanceof Error)) throw error;
        last = error;
      }
    }
  }
}

/** The content that is wanted, from a byte of it on. */
async function ask(
  { client, bucketName, key, tag, range }: ContentSettings,
  offset: number,
  signal: AbortSignal,
): Promise<Answer> {
  signal.throwIfAborted();
  const from = (range?.from ?? 0) + offset;
  const part = range !== undefined || offset > 0;
  const command = new GetObjectCommand({
    Bucket: bucketName,
    Key: key,
    ...(tag === undefined ? {} : { IfMatch: tag }),
    ...(part ? { Range: `bytes=${from}-${range === undefined ? '' : range.to - 1}` } : {}),
  });
  const answer = await client.send(command, { abortSignal: signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw translateS3Error(key, error);
  });
  return checked(answer, key, tag, part ? `bytes ${from}-` : undefined);
}

function checked(
  answer: GetObjectCommandOutput,
  key: string,
  tag: string | undefined,
  range: string | undefined,
): Answer {
  const body = answer.Body;
  if (!(body instanceof Readable)) throw new MalformedDataError("S3's answer");
  // Not every server heeds If-Match; the tag of the answer tells for certain.
  if (tag !== undefined && answer.ETag !== tag) {
    body.destroy();
    throw new ObjectChangedError(key);
  }
  if (range !== undefined && answer.ContentRange?.startsWith(range) !== true) {
    body.destroy();
    throw new MalformedDataError("S3's answer");
  }
  return { body, size: answer.ContentLength, tag: answer.ETag };
}

/** @throws the signal's reason. */
async function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(milliseconds, undefined, { signal });
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  }
}
