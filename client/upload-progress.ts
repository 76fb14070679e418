/**
 * Calls whoever wants to hear of progress. What the callback throws is reported as uncaught, as that of a watch's
 * listener is: it is its owner's to hear of, and must not end the upload.
 */
export function tellProgress<Progress>(
  onProgress: ((progress: Progress) => void) | undefined,
  progress: Progress,
): void {
  try {
    onProgress?.(progress);
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
}
