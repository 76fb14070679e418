import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { decodeKey } from '../../../handlers/aws/object-created-event.ts';
import { buildNotification, concerns } from '../../../local/events/bucket-notifications.ts';
import type { ObjectCreated } from '../../../local/services/s3-object-created.ts';

const uploaded: ObjectCreated = {
  bucket: 'uploads',
  key: 'jobs/01J/ä b+c@d.csv',
  size: 12,
  etag: '0cc175b9c0f1b6a831c399e269772661',
  reason: 'POST Object',
  requester: '000000000000',
  sourceIp: '127.0.0.1',
  sequencer: '0019AB3F0A52C00000',
  requestId: 'C3D13FE58DE4C810',
  time: Date.UTC(2026, 10, 23, 12, 0, 0, 123),
};

describe('the notification of a new object', () => {
  it('has the fields of S3, and a key as forms encode it', () => {
    expect(buildNotification(uploaded)).toEqual({
      Records: [
        {
          eventVersion: '2.1',
          eventSource: 'aws:s3',
          awsRegion: 'us-east-1',
          eventTime: '2026-11-23T12:00:00.123Z',
          eventName: 'ObjectCreated:Post',
          userIdentity: { principalId: 'AWS:000000000000' },
          requestParameters: { sourceIPAddress: '127.0.0.1' },
          responseElements: { 'x-amz-request-id': 'C3D13FE58DE4C810', 'x-amz-id-2': 'local' },
          s3: {
            s3SchemaVersion: '1.0',
            configurationId: 'local',
            bucket: {
              name: 'uploads',
              ownerIdentity: { principalId: '000000000000' },
              arn: 'arn:aws:s3:::uploads',
            },
            object: {
              key: 'jobs/01J/%C3%A4+b%2Bc%40d.csv',
              size: 12,
              eTag: '0cc175b9c0f1b6a831c399e269772661',
              sequencer: '0019AB3F0A52C00000',
            },
          },
        },
      ],
    });
  });

  it('gives our reader every key back, blanks and all', () => {
    const special = fc.constantFrom(' ', '+', '%', '/', '@', '&', '=', '2', 'B', 'ä', '😀');
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.string({ unit: special })), (key) => {
        const [record] = buildNotification({ ...uploaded, key }).Records;
        const { s3 } = record as { s3: { object: { key: string } } }; // as the test above says
        expect(decodeKey(s3.object.key)).toBe(key);
        expect(s3.object.key).toMatch(/^[\w%+./*-]*$/);
      }),
    );
  });
});

test('a function is told of the objects that its notification names', () => {
  const all = { event: 's3:ObjectCreated:*', functionArn: 'arn:function', rules: [] };
  expect(concerns(all, uploaded)).toBe(true);
  for (const [event, concerned] of [
    ['s3:ObjectCreated:Post', true],
    ['s3:ObjectCreated:Put', false],
  ] as const) {
    expect(concerns({ ...all, event }, uploaded), event).toBe(concerned);
  }
  for (const [name, value, concerned] of [
    ['prefix', 'jobs/', true],
    ['prefix', 'results/', false],
    ['prefix', 'j*', false],
    ['suffix', 'd.csv', true],
    ['suffix', '.json', false],
  ] as const) {
    expect(concerns({ ...all, rules: [{ name, value }] }, uploaded), `${name} ${value}`).toBe(concerned);
  }
});
