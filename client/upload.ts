import type { Upload } from '../protocol/http.ts';
import { tellProgress } from './upload-progress.ts';
import { type Sending, type SendingPlatform, send } from './upload-send.ts';

/** How far an upload is, in bytes of the file. */
export interface UploadProgress {
  readonly sent: number;
  readonly total: number;
}

/** How a file is uploaded. */
export interface UploadOptions {
  /** Hears how far it is; where there is no XMLHttpRequest (Node) only of the beginning and the end. */
  readonly onProgress?: ((progress: UploadProgress) => void) | undefined;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Sends a file in one request where `POST /jobs` said. The promise resolves when the storage has it all.
 * @throws UploadRefusedError when the storage refuses; UnreachableError when the connection breaks;
 * UnreadableFileError when the file cannot be read any more; TypeError for an upload in parts, which `uploadJob` does;
 * the signal's reason when it aborts.
 */
export async function uploadFile(
  platform: SendingPlatform,
  upload: Upload,
  file: Blob,
  { onProgress, signal }: UploadOptions,
): Promise<void> {
  signal?.throwIfAborted();
  const sending = prepare(upload, file);
  // A form counts its own overhead too: never more than the file has.
  const report = (sent: number) =>
    tellProgress(onProgress, { sent: Math.min(sent, file.size), total: file.size });
  report(0);
  await send(platform, sending, report, signal);
  report(file.size);
}

function prepare(upload: Upload, file: Blob): Sending {
  switch (upload.method) {
    case 'PUT':
      return { method: 'PUT', url: upload.url, headers: upload.headers, body: file };
    case 'POST': {
      const form = new FormData();
      for (const [name, value] of Object.entries(upload.fields)) form.append(name, value);
      form.append('file', file); // the last field: S3 ignores what follows it (aws-facts 4, "Presigned POST")
      return { method: 'POST', url: upload.url, headers: {}, body: form };
    }
    case 'MULTIPART':
      throw new TypeError('an upload in parts is not one request: use uploadJob');
  }
}
