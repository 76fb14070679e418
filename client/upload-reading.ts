import { UnreadableFileError } from './upload-errors.ts';

/**
 * The bytes of a file, or of a piece of one.
 * @throws UnreadableFileError when it cannot be read any more.
 */
export async function bytesOf(piece: Blob): Promise<Uint8Array> {
  try {
    return new Uint8Array(await piece.arrayBuffer());
  } catch (cause) {
    throw new UnreadableFileError(cause);
  }
}

/**
 * Looks whether the file of a body can still be read, by one byte of it. Whoever sends a body that cannot is told of
 * a broken connection, by browsers as by Node, and would try again for minutes what can never succeed.
 * @throws UnreadableFileError when it cannot.
 */
export async function assertReadable(body: Blob | FormData): Promise<void> {
  const file = body instanceof Blob ? body : body.get('file');
  if (file instanceof Blob) await bytesOf(file.slice(0, 1));
}
