import type { Duplex } from 'node:stream';
import { MAXIMUM_FRAME_BYTES, MAXIMUM_MESSAGE_BYTES } from './limits.ts';

/** What a client sent that API Gateway does not take, with the close code that answers it. */
export interface FrameViolation {
  readonly code: 1003 | 1009;
  readonly problem: string;
}

const CONTINUATION = 0x0;
const BINARY = 0x2;
const FIRST_CONTROL = 0x8;

const NOTHING = Buffer.alloc(0);

/**
 * Reads the header of every frame that a client sends, and refuses what API Gateway refuses by the header alone: a
 * binary frame (1003), a frame of more than 32 KB or a message of more than 128 KB (1009; aws-facts 1.2, 1.8, 1.9).
 * `ws` knows a limit for messages only.
 *
 * From the first violation on, data frames are dropped unread and control frames still pass, so that the
 * closing handshake ends properly. What came before it has reached `ws` whole.
 */
export class FrameGuard {
  readonly #refuse: (violation: FrameViolation) => void;
  /** The beginning of a header of which the rest has not come. */
  #withheld = NOTHING;
  /** Payload bytes of the frame under way that are still to come. */
  #remaining = 0;
  #dropping = false;
  #violated = false;
  #messageBytes = 0;

  /** `refuse` is called once, at the first violation. */
  constructor(refuse: (violation: FrameViolation) => void) {
    this.#refuse = refuse;
  }

  /** What of the next bytes from the client may pass; empty if nothing. */
  filter(chunk: Buffer): Buffer {
    const bytes = this.#withheld.length === 0 ? chunk : Buffer.concat([this.#withheld, chunk]);
    this.#withheld = NOTHING;
    const passing: Buffer[] = [];
    let from = 0;
    let offset = 0;
    while (offset < bytes.length) {
      const begun = offset;
      if (this.#remaining === 0) {
        const length = headerLength(bytes, offset);
        if (length === undefined) {
          this.#withheld = Buffer.from(bytes.subarray(offset));
          break;
        }
        this.#beginFrame(bytes, offset);
        offset += length;
      }
      const end = Math.min(bytes.length, offset + this.#remaining);
      this.#remaining -= end - offset;
      offset = end;
      if (!this.#dropping) continue;
      passing.push(bytes.subarray(from, begun));
      from = offset;
    }
    passing.push(bytes.subarray(from, offset));
    return passing.length === 1 ? (passing[0] ?? NOTHING) : Buffer.concat(passing);
  }

  #beginFrame(bytes: Buffer, offset: number): void {
    const firstByte = bytes.readUInt8(offset);
    this.#remaining = payloadLength(bytes, offset);
    const violation = this.#violationOf(firstByte, this.#remaining);
    if (violation !== undefined) {
      this.#violated = true;
      this.#refuse(violation);
    }
    this.#dropping = this.#violated && opcodeOf(firstByte) < FIRST_CONTROL;
  }

  #violationOf(firstByte: number, length: number): FrameViolation | undefined {
    const opcode = opcodeOf(firstByte);
    if (this.#violated || opcode >= FIRST_CONTROL) return undefined;
    if (opcode !== CONTINUATION) this.#messageBytes = 0;
    this.#messageBytes += length;
    if (opcode === BINARY) return { code: 1003, problem: 'a binary frame' };
    if (length > MAXIMUM_FRAME_BYTES) {
      return { code: 1009, problem: `a frame of ${length} bytes, more than ${MAXIMUM_FRAME_BYTES}` };
    }
    if (this.#messageBytes > MAXIMUM_MESSAGE_BYTES) {
      return { code: 1009, problem: `a message of more than ${MAXIMUM_MESSAGE_BYTES} bytes` };
    }
    return undefined;
  }
}

/**
 * Puts a guard before whoever will read the socket, in the socket itself: a stream between the two would cost each
 * connection three kilobytes, and each frame out a second way through a stream. Answers with what may pass of what has
 * come already, `head` first; nothing else of it is left in the socket.
 */
export function guardFrames(
  socket: Duplex,
  head: Buffer,
  refuse: (violation: FrameViolation) => void,
): Buffer {
  const guard = new FrameGuard(refuse);
  // Bytes without an encoding come as a Buffer, and null if there are none.
  const waiting = socket.read() as Buffer | null;
  const passing = guard.filter(waiting === null ? head : Buffer.concat([head, waiting]));
  const push = socket.push;
  // By this a net.Socket takes what it has read (https://nodejs.org/api/stream.html, "readable.push").
  socket.push = (chunk: Buffer | null) => {
    if (chunk === null) return push.call(socket, null);
    const allowed = guard.filter(chunk);
    return allowed.length === 0 || push.call(socket, allowed);
  };
  return passing;
}

function opcodeOf(firstByte: number): number {
  return firstByte & 0x0f;
}

/**
 * RFC 6455 5.2: two bytes, an extended length of none, two or eight, and a mask of four if there is one. Undefined if
 * not all of the header is there.
 */
function headerLength(bytes: Buffer, offset: number): number | undefined {
  const there = bytes.length - offset;
  if (there < 2) return undefined;
  const second = bytes.readUInt8(offset + 1);
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  const needed = 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
  return there < needed ? undefined : needed;
}

function payloadLength(bytes: Buffer, offset: number): number {
  const length = bytes.readUInt8(offset + 1) & 0x7f;
  if (length === 126) return bytes.readUInt16BE(offset + 2);
  if (length === 127) return Number(bytes.readBigUInt64BE(offset + 2));
  return length;
}
