import { Duplex } from 'node:stream';
import { MAXIMUM_FRAME_BYTES, MAXIMUM_MESSAGE_BYTES } from './limits.ts';

/** What a client sent that API Gateway does not take, with the close code that answers it. */
export interface FrameViolation {
  readonly code: 1003 | 1009;
  readonly problem: string;
}

const CONTINUATION = 0x0;
const BINARY = 0x2;
const FIRST_CONTROL = 0x8;

/**
 * Stands between a client's socket and `ws`, reads the header of every frame that comes in, and refuses what
 * API Gateway refuses by the header alone: a binary frame (1003), a frame of more than 32 KB or a message of
 * more than 128 KB (1009; aws-facts 1.2, 1.8, 1.9). `ws` knows a limit for messages only.
 *
 * From the first violation on, data frames are dropped unread and control frames still pass, so that the
 * closing handshake ends properly. What came before it has reached `ws` whole. Outgoing bytes pass unseen.
 */
export class FrameGuard extends Duplex {
  readonly #socket: Duplex;
  readonly #refuse: (violation: FrameViolation) => void;
  /** The header of the frame under way, as far as it has come. */
  #header: number[] = [];
  /** Payload bytes of the frame under way that are still to come. */
  #remaining = 0;
  #dropping = false;
  #violated = false;
  #messageBytes = 0;

  /** `refuse` is called once, at the first violation. Bytes read ahead must be given back to `socket` before. */
  constructor(socket: Duplex, refuse: (violation: FrameViolation) => void) {
    super();
    this.#socket = socket;
    this.#refuse = refuse;
    socket.on('data', (chunk: Buffer) => this.#inspect(chunk));
    socket.on('end', () => this.push(null));
    socket.on('error', (error) => this.destroy(error));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, callback: (error?: Error | null) => void): void {
    this.#socket.write(chunk, callback);
  }

  override _writev(
    chunks: readonly { readonly chunk: Buffer }[],
    callback: (error?: Error | null) => void,
  ): void {
    this.#socket.write(Buffer.concat(chunks.map(({ chunk }) => chunk)), callback);
  }

  override _final(callback: (error?: Error | null) => void): void {
    this.#socket.end(callback);
  }

  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    this.#socket.destroy();
    callback(error);
  }

  #inspect(chunk: Buffer): void {
    let offset = 0;
    while (offset < chunk.length) {
      if (this.#remaining > 0) {
        const end = Math.min(chunk.length, offset + this.#remaining);
        this.#remaining -= end - offset;
        if (!this.#dropping) this.#forward(chunk.subarray(offset, end));
        offset = end;
      } else {
        this.#header.push(chunk[offset] ?? 0);
        offset += 1;
        if (this.#header.length >= 2 && this.#header.length === headerLength(this.#header))
          this.#beginFrame();
      }
    }
  }

  #beginFrame(): void {
    const header = Buffer.from(this.#header);
    this.#header = [];
    this.#remaining = payloadLength(header);
    const violation = this.#violationOf(header.readUInt8(0), this.#remaining);
    if (violation !== undefined) {
      this.#violated = true;
      this.#refuse(violation);
    }
    this.#dropping = this.#violated && opcodeOf(header.readUInt8(0)) < FIRST_CONTROL;
    if (!this.#dropping) this.#forward(header);
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

  #forward(bytes: Buffer): void {
    if (!this.push(bytes)) this.#socket.pause();
  }
}

function opcodeOf(firstByte: number): number {
  return firstByte & 0x0f;
}

/** RFC 6455 5.2: two bytes, an extended length of none, two or eight, and a mask of four if there is one. */
function headerLength(header: readonly number[]): number {
  const second = header[1] ?? 0;
  const length = second & 0x7f;
  const extended = length === 126 ? 2 : length === 127 ? 8 : 0;
  return 2 + extended + ((second & 0x80) === 0 ? 0 : 4);
}

function payloadLength(header: Buffer): number {
  const length = header.readUInt8(1) & 0x7f;
  if (length === 126) return header.readUInt16BE(2);
  if (length === 127) return Number(header.readBigUInt64BE(2));
  return length;
}
