import { hash } from 'node:crypto';

/** A frame as it is sent: its bytes, and their SHA-256 in hexadecimal. */
export interface FrameBody {
  readonly bytes: Uint8Array;
  readonly hash: string;
}

/** At most as many frames are in work as a batch of the stream has jobs (`batchSize` in infrastructure/publishing.ts). */
const MOST_FRAMES = 100;

/** Encodes and hashes each frame once, however many connections it goes to. */
export class FrameBodies {
  readonly #bodies = new Map<string, FrameBody>();

  /** The body of a frame. The same string costs next to nothing the second time. */
  of(frame: string): FrameBody {
    const known = this.#bodies.get(frame);
    if (known !== undefined) return known;
    if (this.#bodies.size >= MOST_FRAMES) {
      for (const oldest of this.#bodies.keys()) {
        this.#bodies.delete(oldest);
        break;
      }
    }
    const bytes = Buffer.from(frame);
    const body = { bytes, hash: hash('sha256', bytes) };
    this.#bodies.set(frame, body);
    return body;
  }
}
