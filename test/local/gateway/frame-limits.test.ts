import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FrameGuard, type FrameViolation } from '../../../local/gateway/frame-limits.ts';
import { closed, frame, open, openRaw, startApi } from './websocket-fixture.ts';

const TEXT = 0x1;
const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;

/** What passes of chunks, and what is refused. */
function filter(chunks: readonly Buffer[]): { passing: string; violations: FrameViolation[] } {
  const violations: FrameViolation[] = [];
  const guard = new FrameGuard((violation) => violations.push(violation));
  const passing = Buffer.concat(chunks.map((chunk) => guard.filter(chunk)));
  return { passing: passing.toString('hex'), violations };
}

describe('what stands before ws', () => {
  const anyFrame = fc
    .record({
      opcode: fc.constantFrom(TEXT, TEXT, PING, CLOSE, BINARY),
      size: fc.constantFrom(0, 1, 125, 126, 300, 40_000),
    })
    .map(({ opcode, size }) => ({
      opcode,
      bytes: frame(opcode, Buffer.alloc(opcode > 7 ? size % 126 : size, 'x')),
    }));
  const isRefused = ({ opcode, bytes }: { opcode: number; bytes: Buffer }) =>
    opcode === BINARY || bytes.length > 33_000;

  it('lets pass what is allowed, to the byte, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(anyFrame, { maxLength: 6 }),
        fc.array(fc.integer({ min: 1, max: 5_000 }), { minLength: 1, maxLength: 5 }),
        (frames, sizes) => {
          const refusedAt = frames.findIndex(isRefused);
          const expected = frames.filter(
            ({ opcode }, index) => refusedAt < 0 || index < refusedAt || opcode > 7,
          );
          const bytes = Buffer.concat(frames.map((one) => one.bytes));
          const chunks: Buffer[] = [];
          for (let offset = 0; offset < bytes.length; ) {
            const size = sizes[chunks.length % sizes.length] ?? 1;
            chunks.push(bytes.subarray(offset, offset + size));
            offset += size;
          }
          const { passing, violations } = filter(chunks);
          expect(passing).toBe(Buffer.concat(expected.map((one) => one.bytes)).toString('hex'));
          expect(violations).toHaveLength(refusedAt < 0 ? 0 : 1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('keeps a chunk of whole frames as it is', () => {
    const chunk = Buffer.concat([frame(TEXT, Buffer.from('one')), frame(TEXT, Buffer.from('two'))]);
    const guard = new FrameGuard(() => {});
    expect(guard.filter(chunk).buffer).toBe(chunk.buffer);
  });

  it('sees what came together with the handshake', async () => {
    const { api, disconnect } = await startApi({});
    await openRaw(api, Buffer.concat([frame(BINARY, Buffer.from('early')), frame(CLOSE, Buffer.alloc(0))]));
    expect((await disconnect.event()).requestContext.disconnectStatusCode).toBe(1003);
    const client = await open(api.url);
    client.close(1000);
    expect((await closed(client)).code).toBe(1000);
  });
});
