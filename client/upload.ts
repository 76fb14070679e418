import type { Upload } from '../protocol/http.ts';
import { UnreachableError, UploadRefusedError } from './errors.ts';
import type { Platform, RequestConstructor } from './platform.ts';

/** How far an upload is, in bytes of the file. */
export interface UploadProgress {
  readonly sent: number;
  readonly total: number;
}

/** How a file is uploaded. */
export interface UploadOptions {
  /** Hears how far it is; where there is no XMLHttpRequest (Node) only of the beginning and the end. */
  readonly onProgress?: (progress: UploadProgress) => void;
  readonly signal?: AbortSignal;
}

interface Sending {
  readonly method: 'PUT' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Blob | FormData;
}

/** Headers that a browser sets by itself and refuses to take (the Fetch standard, "forbidden request-header"). */
const AUTOMATIC_HEADERS = new Set(['host', 'content-length', 'connection']);

/**
 * Sends a file where `POST /jobs` said. The promise resolves when the storage has it all.
 * @throws UploadRefusedError when the storage refuses; UnreachableError when the connection breaks; TypeError for a
 * multipart upload, which this version does not do; the signal's reason when it aborts.
 */
export async function uploadFile(
  platform: Pick<Platform, 'fetch' | 'XMLHttpRequest'>,
  upload: Upload,
  file: Blob,
  options: UploadOptions,
): Promise<void> {
  options.signal?.throwIfAborted();
  const sending = prepare(upload, file);
  const report = (sent: number) =>
    options.onProgress?.({ sent: Math.min(sent, file.size), total: file.size });
  report(0);
  await (platform.XMLHttpRequest === undefined
    ? sendByFetch(platform.fetch, sending, options.signal)
    : sendByRequest(platform.XMLHttpRequest, sending, report, options.signal));
  report(file.size);
}

function prepare(upload: Upload, file: Blob): Sending {
  switch (upload.method) {
    case 'PUT':
      return { method: 'PUT', url: upload.url, headers: withoutAutomatic(upload.headers), body: file };
    case 'POST': {
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      form.append('file', file); // the last field: S3 ignores what follows it (aws-facts 4, "Presigned POST")
      return { method: 'POST', url: upload.url, headers: {}, body: form };
    }
    case 'MULTIPART':
      throw new TypeError('this client does not upload in parts: ask for "put" or "post"');
  }
}

function withoutAutomatic(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([name]) => !AUTOMATIC_HEADERS.has(name.toLowerCase())),
  );
}

async function sendByFetch(
  fetch: Platform['fetch'],
  sending: Sending,
  signal: AbortSignal | undefined,
): Promise<void> {
  const { method, headers, body } = sending;
  try {
    const response = await fetch(sending.url, {
      method,
      headers,
      body,
      ...(signal === undefined ? {} : { signal }),
    });
    const text = await response.text();
    if (!response.ok) throw refusal(response.status, text);
  } catch (cause) {
    if (cause instanceof UploadRefusedError) throw cause;
    if (signal?.aborted === true) throw signal.reason;
    throw new UnreachableError('the upload broke off', { cause });
  }
}

function sendByRequest(
  Request: RequestConstructor,
  sending: Sending,
  report: (sent: number) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const request = new Request();
    const abort = () => {
      reject(signal?.reason);
      request.abort();
    };
    const broken = () => {
      signal?.removeEventListener('abort', abort);
      reject(new UnreachableError('the upload broke off'));
    };
    // A form counts its own overhead too: `report` cuts at the size of the file.
    request.upload.addEventListener('progress', (event) => report(event.loaded));
    request.addEventListener('error', broken);
    request.addEventListener('abort', broken);
    request.addEventListener('timeout', broken);
    request.addEventListener('load', () => {
      signal?.removeEventListener('abort', abort);
      if (request.status >= 200 && request.status < 300) resolve();
      else reject(refusal(request.status, request.responseText));
    });
    signal?.addEventListener('abort', abort, { once: true });
    request.open(sending.method, sending.url);
    for (const [name, value] of Object.entries(sending.headers)) request.setRequestHeader(name, value);
    request.send(sending.body);
  });
}

/** S3 answers errors as XML; its code is all that a program needs of it. */
function refusal(status: number, text: string): UploadRefusedError {
  return new UploadRefusedError(status, /<Code>(\w{1,64})<\/Code>/.exec(text)?.[1]);
}
