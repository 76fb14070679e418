import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type ClientFrame,
  FrameError,
  parseClientFrame,
  parseServerFrame,
  type ServerFrame,
  serializeFrame,
} from '../../protocol/frames.ts';
import { anyJob, anyUlid } from '../protocol/sample-jobs.ts';

/** JSON that is near a frame: the right names with values of any kind. */
const nearFrame = fc
  .record(
    {
      type: fc.oneof(
        fc.constantFrom(
          'subscribe',
          'unsubscribe',
          'ping',
          'subscribed',
          'job',
          'pong',
          'unsubscribed',
          'error',
          'bye',
        ),
        fc.constantFrom('__proto__', 'constructor', 'toString', 'hasOwnProperty'),
        fc.jsonValue(),
      ),
      id: fc.oneof(fc.string(), fc.jsonValue()),
      job: fc.oneof(
        anyUlid().map((ulid) => `job_${ulid}`),
        anyJob(),
        fc.jsonValue(),
      ),
      topic: fc.oneof(fc.constantFrom('owner:me', 'owner:', 'tag:', 'tag:a', 'tag:a:b'), fc.jsonValue()),
      since: fc.oneof(fc.record({ epoch: anyUlid(), seq: fc.double() }), fc.jsonValue()),
      heads: fc.oneof(fc.dictionary(fc.string(), fc.jsonValue()), fc.jsonValue()),
      head: fc.jsonValue(),
      error: fc.jsonValue(),
      code: fc.jsonValue(),
      reason: fc.jsonValue(),
      reconnect: fc.jsonValue(),
      retryAfterMs: fc.jsonValue(),
    },
    { requiredKeys: [] },
  )
  .map((frame) => JSON.stringify(frame));

/** A text of the above with a few characters changed, dropped or doubled. */
const damaged = fc
  .tuple(
    nearFrame,
    fc.array(fc.tuple(fc.nat(), fc.constantFrom('', '"', '{', '\\', '\u0000', '\ud800', '1e999'))),
  )
  .map(([text, damages]) =>
    damages.reduce((left, [at, piece]) => {
      const index = left.length === 0 ? 0 : at % left.length;
      return left.slice(0, index) + piece + left.slice(index + 1);
    }, text),
  );

const anything = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.json(),
  nearFrame,
  damaged,
  fc.constantFrom(
    '[['.repeat(16_000),
    '{"a":'.repeat(6_000),
    `{"type":"ping","id":"${'x'.repeat(40_000)}"}`,
    '\ufeff{"type":"ping"}',
    '{"type":"ping","__proto__":{"heads":1}}',
    '{"type":"ping","type":"dance"}',
  ),
);

const RUNS = 5_000;

describe.each([
  ['parseClientFrame', parseClientFrame],
  ['parseServerFrame', parseServerFrame],
] as const)('%s, whatever text comes', (_name, parse: (text: string) => ClientFrame | ServerFrame) => {
  it('throws nothing but FrameError, and accepts only what survives the wire', () => {
    let accepted = 0;
    fc.assert(
      fc.property(anything, (text) => {
        let frame: ClientFrame | ServerFrame;
        try {
          frame = parse(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FrameError);
          return;
        }
        accepted += 1;
        expect(parse(serializeFrame(frame))).toEqual(frame);
      }),
      { numRuns: RUNS },
    );
    expect(accepted).toBeGreaterThan(0);
  });
});
