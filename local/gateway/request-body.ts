import type { IncomingMessage } from 'node:http';

/** The body of a request, or why there is none. */
export type RequestBody =
  | { readonly kind: 'complete'; readonly bytes: Buffer }
  | { readonly kind: 'too-large' }
  | { readonly kind: 'aborted' };

/**
 * Reads a body of at most `limitBytes`. What exceeds it is still read to its end, though not kept, so that
 * the client gets to read the answer. Never rejects.
 */
export function readBody(request: IncomingMessage, limitBytes: number): Promise<RequestBody> {
  return new Promise((resolve) => {
    let chunks: Buffer[] = [];
    let length = 0;
    request.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length <= limitBytes) chunks.push(chunk);
      else chunks = [];
    });
    request.on('end', () => {
      resolve(
        length > limitBytes ? { kind: 'too-large' } : { kind: 'complete', bytes: Buffer.concat(chunks) },
      );
    });
    // After "end" these change nothing.
    request.on('error', () => resolve({ kind: 'aborted' }));
    request.on('close', () => resolve({ kind: 'aborted' }));
  });
}
