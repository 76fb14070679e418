import type { FrameErrorCode } from './error-codes.ts';

/** Thrown by the readers of frames. `code` and `id` are those of the `error` frame that answers. */
export class FrameError extends Error {
  override readonly name = 'FrameError';
  readonly code: FrameErrorCode;
  /** The request's `id`, where it could be read in spite of the error. */
  readonly id: string | undefined;

  constructor(code: FrameErrorCode, detail: string, id?: string, options?: ErrorOptions) {
    super(detail, options);
    this.code = code;
    this.id = id;
  }
}
