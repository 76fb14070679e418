import { UnreachableError, UploadRefusedError } from './errors.ts';
import type { Platform, RequestConstructor } from './platform.ts';
import { assertReadable } from './upload-reading.ts';
import { STOOD_STILL, StallTimer } from './upload-stall.ts';

/**
 * What a body is sent by; where there is no XMLHttpRequest, by the global `fetch`. Never by the platform's own `fetch`:
 * that asks the API, and may add the caller's credentials to whatever it sends. They are not the storage's to see, and
 * S3 refuses a presigned request that holds an `Authorization` header beside its signature.
 */
export type SendingPlatform = Pick<Platform, 'XMLHttpRequest' | 'clock'>;

/** One request to the storage. */
export interface Sending {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob | FormData;
}

/** Headers that a browser sets by itself and refuses to take (the Fetch standard, "forbidden request-header"). */
const AUTOMATIC_HEADERS = new Set(['host', 'content-length', 'connection']);

const BROKE_OFF = 'the upload broke off';

/**
 * Sends one request to the storage; answers the entity tag of what it has then, where it says one. `report` hears
 * of bytes of the body that have left, where there is an XMLHttpRequest.
 * @throws UploadRefusedError when the storage refuses; UnreachableError when the connection breaks;
 *   UnreadableFileError when the file cannot be read any more; the signal's reason when it aborts.
 */
export async function send(
  platform: SendingPlatform,
  sending: Sending,
  report: (sent: number) => void,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  signal?.throwIfAborted();
  const allowed = { ...sending, headers: withoutAutomatic(sending.headers) };
  try {
    return await (platform.XMLHttpRequest === undefined
      ? sendByFetch(allowed, signal)
      : sendByRequest(platform.XMLHttpRequest, platform.clock, allowed, report, signal));
  } catch (error) {
    if (error instanceof UnreachableError) await assertReadable(sending.body);
    throw error;
  }
}

function withoutAutomatic(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !AUTOMATIC_HEADERS.has(name.toLowerCase())),
  );
}

async function sendByFetch(
  { url, method, headers, body }: Sending,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  // Node's `fetch` does not only fail for a file that has changed: a rejection that nobody can handle ends the process
  // (Node 24.21, of the file's own stream).
  await assertReadable(body);
  try {
    const response = await fetch(url, { method, headers, body, signal: signal ?? null });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
    return response.headers.get('etag') ?? undefined;
  } catch (cause) {
    if (cause instanceof UploadRefusedError) throw cause;
    if (signal?.aborted === true) throw signal.reason;
    throw new UnreachableError(BROKE_OFF, { cause });
  }
}

function sendByRequest(
  Request: RequestConstructor,
  clock: Platform['clock'],
  sending: Sending,
  report: (sent: number) => void,
  signal: AbortSignal | undefined,
): Promise<string | undefined> {
  return new Promise((resolve, reject) => {
    const request = new Request();
    const stall = new StallTimer(clock, () => {
      end();
      reject(new UnreachableError(BROKE_OFF, { cause: STOOD_STILL }));
      request.abort();
    });
    const abort = () => {
      stall.cancel();
      reject(signal?.reason);
      request.abort();
    };
    const end = () => {
      stall.cancel();
      signal?.removeEventListener('abort', abort);
    };
    const broken = () => {
      end();
      reject(new UnreachableError(BROKE_OFF));
    };
    request.upload.addEventListener('progress', (event) => {
      stall.moved();
      report(event.loaded);
    });
    request.addEventListener('error', broken);
    request.addEventListener('abort', broken);
    request.addEventListener('timeout', broken);
    request.addEventListener('load', () => {
      end();
      if (request.status < 200 || request.status > 299) reject(refusal(request.status, request.responseText));
      else resolve(request.getResponseHeader('etag') ?? undefined);
    });
    signal?.addEventListener('abort', abort, { once: true });
    try {
      request.open(sending.method, sending.url);
      for (const [name, value] of Object.entries(sending.headers)) request.setRequestHeader(name, value);
      request.send(sending.body);
    } catch (error) {
      end(); // no event follows
      throw error;
    }
  });
}

/** S3 answers errors as XML; its code is all that a program needs of it. */
function refusal(status: number, text: string): UploadRefusedError {
  return new UploadRefusedError(status, /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1]);
}

/**
 * Whether a presigned request may have been refused because its time was over: S3 says so with 403, as it says every
 * other fault of a signature, and with 400 and this code where the credentials that signed it are over
 * (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html, "List of error codes").
 */
export function mayHaveExpired(error: unknown): boolean {
  return error instanceof UploadRefusedError && (error.status === 403 || error.code === 'ExpiredToken');
}
