import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BYES } from '../../protocol/bye.ts';
import { FRAME_ERRORS } from '../../protocol/error-codes.ts';
import {
  byeFrame,
  type ClientFrame,
  errorFrame,
  FrameError,
  MAXIMUM_FRAME_BYTES,
  MAXIMUM_HEADS,
  parseClientFrame,
  parseServerFrame,
  serializeFrame,
} from '../../protocol/frames.ts';
import { anyJobId, anyRequestId, anyServerFrame, anyTopic, BYE_CODES, ERROR_CODES } from './sample-frames.ts';
import { anyUlid } from './sample-jobs.ts';

const JOB = 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA';

function failureOf(read: () => unknown): FrameError {
  try {
    read();
  } catch (error) {
    if (error instanceof FrameError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
}

const id = anyRequestId;
const job = anyJobId;
const seq = fc.nat();
const topic = anyTopic;
const clientFrame: fc.Arbitrary<ClientFrame> = fc.oneof(
  fc.record(
    { type: fc.constant('subscribe' as const), id, job, since: fc.record({ epoch: anyUlid(), seq }) },
    { requiredKeys: ['type', 'id', 'job'] },
  ),
  fc.record({ type: fc.constant('subscribe' as const), id, topic }),
  fc.record({ type: fc.constant('unsubscribe' as const), id, job }),
  fc.record({ type: fc.constant('unsubscribe' as const), id, topic }),
  fc.record(
    {
      type: fc.constant('ping' as const),
      id,
      heads: fc.dictionary(job, seq, { maxKeys: 20, noNullPrototype: true }),
    },
    { requiredKeys: ['type'] },
  ),
);
describe('frames', () => {
  it('of a client survive the wire', () => {
    fc.assert(
      fc.property(clientFrame, (frame) => {
        expect(parseClientFrame(serializeFrame(frame))).toEqual(frame);
      }),
    );
  });

  it('of a server survive the wire', () => {
    fc.assert(
      fc.property(anyServerFrame(), (frame) => {
        expect(parseServerFrame(serializeFrame(frame))).toEqual(JSON.parse(JSON.stringify(frame)));
      }),
    );
  });

  it('of every error code and every bye are complete', () => {
    for (const code of ERROR_CODES) {
      const { title, retryable } = FRAME_ERRORS[code];
      expect(errorFrame(code)).toEqual({ type: 'error', error: { code, title, retryable } });
    }
    for (const code of BYE_CODES) expect(byeFrame(code)).toEqual({ type: 'bye', code, ...BYES[code] });
    expect(BYE_CODES.toSorted()).toEqual([3001, 3005, 3013, 3500, 3501, 3504, 3507]);
  });

  it('lose the fields that the contract does not know', () => {
    expect(parseClientFrame('{"type":"ping","colour":"red"}')).toStrictEqual({ type: 'ping' });
  });

  it('that a newer server sends are understood as far as they can be', () => {
    const bye = { type: 'bye', code: 3999, reason: 'something new', reconnect: true, more: 1 };
    expect(parseServerFrame(JSON.stringify(bye))).toStrictEqual({
      type: 'bye',
      code: 3999,
      reason: 'something new',
      reconnect: true,
    });
    expect(failureOf(() => parseServerFrame('{"type":"weather"}')).code).toBe('unknown-type');
  });
});

describe('what is no frame', () => {
  it.each([
    ['not JSON', '{', 'bad-frame', undefined],
    ['nothing', '', 'bad-frame', undefined],
    ['an array', '[]', 'bad-frame', undefined],
    ['null', 'null', 'bad-frame', undefined],
    ['a number', '7', 'bad-frame', undefined],
    ['no type', '{"id":"1"}', 'unknown-type', '1'],
    ['a type of another kind', '{"type":7,"id":"1"}', 'unknown-type', '1'],
    ['an unknown type', '{"type":"dance","id":"1"}', 'unknown-type', '1'],
    ['a name of Object.prototype', '{"type":"constructor","id":"1"}', 'unknown-type', '1'],
    ['no id', `{"type":"subscribe","job":"${JOB}"}`, 'bad-frame', undefined],
    ['a long id', `{"type":"subscribe","id":"${'x'.repeat(65)}","job":"${JOB}"}`, 'bad-frame', undefined],
    ['neither job nor topic', '{"type":"subscribe","id":"1"}', 'bad-frame', '1'],
    ['job and topic', `{"type":"subscribe","id":"1","job":"${JOB}","topic":"owner:me"}`, 'bad-frame', '1'],
    ['a job id that is none', '{"type":"subscribe","id":"1","job":"job_1"}', 'bad-frame', '1'],
    ["another owner's topic", '{"type":"subscribe","id":"1","topic":"owner:eve"}', 'bad-frame', '1'],
    ['a tag with a colon', '{"type":"subscribe","id":"1","topic":"tag:ada:x"}', 'bad-frame', '1'],
    [
      'a since without epoch',
      `{"type":"subscribe","id":"1","job":"${JOB}","since":{"seq":1}}`,
      'bad-frame',
      '1',
    ],
    ['a negative head', `{"type":"ping","id":"1","heads":{"${JOB}":-1}}`, 'bad-frame', '1'],
    ['a head of no job', '{"type":"ping","id":"1","heads":{"job_1":1}}', 'bad-frame', '1'],
  ])('%s is refused', (_name, text, code, requestId) => {
    const error = failureOf(() => parseClientFrame(text));
    expect(error).toMatchObject({ code, id: requestId });
    expect(error.message).not.toBe('');
  });

  it('is refused above 32 KB, in bytes and not in characters', () => {
    const ping = (length: number) => `{"type":"ping","x":"${'€'.repeat(length)}"}`;
    const length = Math.floor((MAXIMUM_FRAME_BYTES - 22) / 3);
    expect(parseClientFrame(ping(length))).toEqual({ type: 'ping' });
    expect(failureOf(() => parseClientFrame(ping(length + 1))).code).toBe('too-large');
    const huge = errorFrame('internal', { detail: 'x'.repeat(MAXIMUM_FRAME_BYTES) });
    expect(failureOf(() => serializeFrame(huge)).code).toBe('too-large');
  });

  it('may have as many heads as are allowed, not one more, and they fit a frame', () => {
    const heads = (count: number) =>
      Object.fromEntries(
        Array.from({ length: count }, (_, index) => [`job_${String(index).padStart(26, '0')}`, 1_000_000]),
      );
    const full = serializeFrame({ type: 'ping', heads: heads(MAXIMUM_HEADS) });
    expect(parseClientFrame(full)).toEqual({ type: 'ping', heads: heads(MAXIMUM_HEADS) });
    const over = JSON.stringify({ type: 'ping', heads: heads(MAXIMUM_HEADS + 1) });
    expect(failureOf(() => parseClientFrame(over)).code).toBe('bad-frame');
  });

  it('cannot reach a prototype', () => {
    const frame = parseClientFrame('{"type":"ping","heads":{"__proto__":1},"__proto__":{"id":"x"}}');
    expect(frame).toStrictEqual({ type: 'ping', heads: {} });
  });

  it('keeps its cause', () => {
    expect(failureOf(() => parseClientFrame('{')).cause).toMatchObject({
      name: 'InvalidError',
      cause: expect.any(SyntaxError),
    });
  });
});
