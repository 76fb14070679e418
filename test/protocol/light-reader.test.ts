import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseServerFrame, serializeFrame } from '../../protocol/frames.ts';
import { isJob, readServerFrame } from '../../protocol/light-reader.ts';
import { anyServerFrame } from './sample-frames.ts';
import { anyJob } from './sample-jobs.ts';

describe('the light reader', () => {
  it('says of every valid frame what the schemas say', () => {
    fc.assert(
      fc.property(anyServerFrame(), (frame) => {
        const text = serializeFrame(frame);
        expect(readServerFrame(text)).toStrictEqual(parseServerFrame(text));
      }),
    );
  });

  it('says of every valid job that it is one, and of one without a required field that it is none', () => {
    fc.assert(
      fc.property(anyJob(), fc.nat(), (job, at) => {
        const read = JSON.parse(JSON.stringify(job));
        expect(isJob(read)).toBe(true);
        const required = ['id', 'kind', 'epoch', 'seq', 'status', 'stalled', 'tags', 'history'];
        delete read[String(required[at % required.length])];
        expect(isJob(read)).toBe(false);
      }),
    );
  });

  it('leaves out in silence what a newer server may say', () => {
    expect(readServerFrame('{"type":"weather"}')).toBeUndefined();
    expect(readServerFrame('{"type":"constructor"}')).toBeUndefined();
    expect(readServerFrame('{"message":"Forbidden","connectionId":"a"}')).toBeUndefined();
  });

  it('throws nothing, whatever comes', () => {
    const type = fc.constantFrom('job', 'subscribed', 'pong', 'unsubscribed', 'error', 'bye');
    const anything = fc.oneof(
      fc.string(),
      fc.json(),
      fc
        .tuple(type, fc.dictionary(fc.constantFrom('id', 'job', 'head', 'error', 'code'), fc.jsonValue()))
        .map(([of, fields]) => JSON.stringify({ type: of, ...fields })),
    );
    fc.assert(
      fc.property(anything, (text) => {
        const frame = readServerFrame(text);
        if (frame) expect(frame).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['a binary frame', Buffer.from('{}')],
    ['no JSON', '{'],
    ['an array', '[]'],
    ['a job without state', '{"type":"job","job":{"id":"no"}}'],
    ['a job of an unknown status', '{"type":"job","job":{"status":"dancing"}}'],
    ['a wait that is no number', '{"type":"bye","code":1,"reason":"","reconnect":true,"retryAfterMs":"1"}'],
    ['an error that is none', '{"type":"error","error":null}'],
  ])('refuses %s', (_name, text) => {
    expect(readServerFrame(text)).toBeNull();
  });
});
