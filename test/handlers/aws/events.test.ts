import { describe, expect, it } from 'vitest';
import { newJobItem } from '../../../handlers/aws/job-item.ts';
import { DeadlineSchema, DeliverySchema, WorkSchema } from '../../../handlers/aws/messages.ts';
import { decodeKey, readObjectCreated } from '../../../handlers/aws/object-created-event.ts';
import { parseUploadKey, resultKeyOf, uploadKeyOf } from '../../../handlers/aws/object-key.ts';
import { batchItemFailures, readMessages } from '../../../handlers/aws/queue-event.ts';
import { readRemovedJobs } from '../../../handlers/aws/removed-jobs.ts';
import { readJobChanges } from '../../../handlers/aws/stream-event.ts';
import { MalformedDataError } from '../../../handlers/errors.ts';
import { sampleNewJob, sampleRecord, secondsLater } from '../../conformance/sample-jobs.ts';

const record = sampleRecord();
const { id: job, epoch } = record.job;

describe('the stream of the jobs table', () => {
  const newJob = sampleNewJob();
  const change = (fields: object, dynamodb: object = {}) => ({
    eventID: '1',
    eventName: 'MODIFY',
    eventVersion: '1.1',
    eventSource: 'aws:dynamodb',
    dynamodb: {
      ApproximateCreationDateTime: 1795428000.5,
      Keys: { job: { S: newJob.id } },
      NewImage: newJobItem(newJob, 'change-1'),
      SequenceNumber: '111',
      SizeBytes: 500,
      StreamViewType: 'NEW_AND_OLD_IMAGES',
      ...dynamodb,
    },
    ...fields,
  });

  it('reads every state in order', () => {
    const readings = readJobChanges({
      Records: [change({ eventName: 'INSERT' }), change({}, { SequenceNumber: '112' })],
    });
    expect(readings).toMatchObject([
      {
        sequenceNumber: '111',
        at: new Date(1795428000500),
        record: { owner: 'ada', job: { id: newJob.id, seq: 1 } },
      },
      { sequenceNumber: '112' },
    ]);
  });

  it('leaves deletions out, which have no new image', () => {
    expect(readJobChanges({ Records: [change({ eventName: 'REMOVE' }, { NewImage: undefined })] })).toEqual(
      [],
    );
  });

  it('tells which jobs were deleted', () => {
    const removal = change({ eventName: 'REMOVE' }, { NewImage: undefined });
    const bad = change({ eventName: 'REMOVE' }, { NewImage: undefined, Keys: { job: { S: 'x' } } });
    expect(readRemovedJobs({ Records: [change({}), removal, bad, null] })).toEqual([
      { sequenceNumber: '111', job: newJob.id },
    ]);
    expect(readRemovedJobs('x')).toEqual([]);
  });

  it('says which record is bad, and reads the others', () => {
    const readings = readJobChanges({
      Records: [
        change({}, { NewImage: undefined }),
        change({}, { NewImage: { job: { Q: '7' } } }),
        change({}, { NewImage: 'text' }),
        change({}, { NewImage: { ...newJobItem(newJob, 'x'), status: { S: 'asleep' } } }),
        change({ eventName: 'DANCE' }),
        null,
        {},
        change({}),
      ],
    });
    expect(readings.map((reading) => 'malformed' in reading)).toEqual([...Array(7).fill(true), false]);
    expect(readings.map(({ sequenceNumber }) => sequenceNumber)).toEqual([
      ...Array(5).fill('111'),
      '',
      '',
      '111',
    ]);
  });

  it('refuses what is no batch at all', () => {
    for (const event of [undefined, null, {}, { Records: 7 }, 'x']) {
      expect(() => readJobChanges(event)).toThrow(MalformedDataError);
    }
  });
});

describe('the queues', () => {
  const message = (body: string, fields: object = {}) => ({
    messageId: 'm1',
    receiptHandle: 'r',
    body,
    attributes: { ApproximateReceiveCount: '3' },
    eventSource: 'aws:sqs',
    ...fields,
  });

  it('read their messages', () => {
    const work = { job, epoch };
    expect(readMessages({ Records: [message(JSON.stringify(work))] }, WorkSchema)).toEqual([
      { messageId: 'm1', receiveCount: 3, message: work },
    ]);
    const delivery = { job, connection: 'abc=', attempt: 0, connectingUntil: secondsLater(1) };
    expect(readMessages({ Records: [message(JSON.stringify(delivery))] }, DeliverySchema)).toMatchObject([
      { message: delivery },
    ]);
    const deadline = { job, epoch, execution: 'one', lookedAt: '2026-11-23T12:00:00.000Z' };
    expect(readMessages({ Records: [message(JSON.stringify(deadline))] }, DeadlineSchema)).toMatchObject([
      { message: deadline },
    ]);
  });

  it('say which message is bad, and read the others', () => {
    const good = message(JSON.stringify({ job, epoch }));
    const readings = readMessages(
      {
        Records: [
          message('{'),
          message('{}'),
          message('null'),
          message(JSON.stringify({ job: 'job_1', epoch })),
          message('{}', { body: undefined }),
          message('{}', { attributes: {} }),
          7,
          good,
        ],
      },
      WorkSchema,
    );
    expect(readings.map((reading) => 'malformed' in reading)).toEqual([...Array(7).fill(true), false]);
    expect(readings[6]?.messageId).toBe('');
  });

  it('refuse what is no batch at all, and answer which failed', () => {
    for (const event of [undefined, null, {}, []])
      expect(() => readMessages(event, WorkSchema)).toThrow(MalformedDataError);
    expect(batchItemFailures([])).toEqual({ batchItemFailures: [] });
    expect(batchItemFailures(['a'])).toEqual({ batchItemFailures: [{ itemIdentifier: 'a' }] });
  });
});

describe('"Object Created"', () => {
  const event = (object: object) => ({
    version: '0',
    'detail-type': 'Object Created',
    source: 'aws.s3',
    detail: {
      version: '0',
      bucket: { name: 'uploads' },
      object: { key: uploadKeyOf(record), size: 11, etag: 'abc', sequencer: '00617F', ...object },
      reason: 'PutObject',
    },
  });

  it('names the job and its epoch', () => {
    expect(readObjectCreated(event({}))).toEqual([{ upload: { job, epoch } }]);
  });

  it('is refused when it is something else', () => {
    for (const bad of [
      undefined,
      {},
      { ...event({}), 'detail-type': 'Object Deleted' },
      event({ key: undefined }),
    ]) {
      expect(() => readObjectCreated(bad)).toThrow(MalformedDataError);
    }
    for (const key of ['uploads/x/y', resultKeyOf(record), `${uploadKeyOf(record)}/more`]) {
      expect(readObjectCreated(event({ key }))).toEqual([{ malformed: expect.any(MalformedDataError) }]);
    }
  });

  it('has keys that are made and read alike', () => {
    expect(parseUploadKey(uploadKeyOf(record))).toEqual({ job, epoch });
    for (const key of ['', 'uploads/', `uploads/${job}`, `x/${job}/${epoch}`, `uploads/${epoch}/${job}`]) {
      expect(parseUploadKey(key), key).toBeUndefined();
    }
  });
});

describe("S3's notification", () => {
  const notified = (key: unknown, fields: object = {}) => ({
    eventVersion: '2.1',
    eventSource: 'aws:s3',
    eventName: 'ObjectCreated:CompleteMultipartUpload',
    s3: { s3SchemaVersion: '1.0', bucket: { name: 'uploads' }, object: { key, size: 11, eTag: 'abc-1' } },
    ...fields,
  });

  it('names every upload, by a key that is encoded as in forms', () => {
    const key = uploadKeyOf(record);
    const encoded = key.replaceAll('_', '%5F').replaceAll('/', '%2f');
    expect(readObjectCreated({ Records: [notified(key), notified(encoded)] })).toEqual([
      { upload: { job, epoch } },
      { upload: { job, epoch } },
    ]);
    expect(readObjectCreated({ Records: [] })).toEqual([]);
    expect(decodeKey('in/%C3%A4+b%2Bc%40d.csv')).toBe('in/ä b+c@d.csv');
  });

  it('has a record that is bad, and others that are read', () => {
    const good = uploadKeyOf(record);
    const bad = [
      notified(`${good}+`),
      notified(`${good}%20`),
      notified(`${good}%`),
      notified('uploads/%C3%28'),
      notified(7),
      notified(good, { eventName: 'ObjectRemoved:Delete' }),
      notified(good, { eventSource: 'aws:sqs' }),
      null,
    ];
    const readings = readObjectCreated({ Records: [...bad, notified(good)] });
    expect(readings.map((reading) => 'malformed' in reading)).toEqual([...bad.map(() => true), false]);
  });

  it('tells of nothing when it is the test', () => {
    const test = {
      Service: 'Amazon S3',
      Event: 's3:TestEvent',
      Time: '2026-11-23T12:00:00.000Z',
      Bucket: 'uploads',
      RequestId: '5582815E1AEA5ADF',
      HostId: '8cLeGAmw098X5cv4Zkwcmo8vvZa3eH3eKxsPzbB9wrR+YstdA6Knx4Ip8EXAMPLE',
    };
    expect(readObjectCreated(test)).toEqual([]);
    expect(() => readObjectCreated({ ...test, Event: 's3:Another' })).toThrow(MalformedDataError);
  });
});
