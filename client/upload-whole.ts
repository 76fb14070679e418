import type { Upload } from '../protocol/http.ts';
import { type UploadProgress, uploadFile } from './upload.ts';
import { readUpload, type UploadTarget } from './upload-calls.ts';
import { persist, type RetryPlatform } from './upload-retry.ts';
import { mayHaveExpired, type SendingPlatform } from './upload-send.ts';

/** What an upload in one request needs. */
export interface WholeUploadSettings {
  readonly platform: SendingPlatform & RetryPlatform;
  readonly target: UploadTarget;
  readonly file: Blob;
  readonly grant: Upload;
  readonly onProgress: (progress: UploadProgress) => void;
  readonly signal: AbortSignal;
}

/**
 * Sends a file in one request, again where that may help, and by a fresh grant where the one it has may have expired:
 * it lives an hour at most, which a page that waits for its network easily outlives.
 * @throws what `uploadFile`, `persist` and the API's calls throw.
 */
export async function uploadWhole(settings: WholeUploadSettings): Promise<void> {
  const { platform, target, file, onProgress, signal } = settings;
  let grant: Upload | undefined = settings.grant;

  async function attempt(): Promise<void> {
    // Without a grant the storage has the file: the answer to an earlier attempt was lost.
    for (let renewed = false; grant !== undefined; renewed = true) {
      try {
        return await uploadFile(platform, grant, file, { onProgress, signal });
      } catch (error) {
        if (renewed || !mayHaveExpired(error)) throw error;
        grant = (await readUpload(target, 1, signal)).upload;
      }
    }
  }

  await persist(platform, attempt, signal);
}
