import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readObjectCreated } from '../../handlers/aws/object-created-event.ts';
import { MalformedDataError } from '../../handlers/errors.ts';
import { parse } from '../../protocol/invalid.ts';
import { EpochSchema, JobIdSchema } from '../../protocol/job.ts';

const UPLOAD = 'uploads/job_01JCXW3V6Q8Y2T5R9K4M7N0PZA/01JCXW3V6Q8Y2T5R9K4M7N0PZB';

const key = fc.oneof(
  fc.constant(UPLOAD),
  fc.string({ unit: 'binary' }).map((more) => `${UPLOAD}${more}`),
  fc.stringMatching(/^uploads\/[%+\w/]{0,80}$/),
  fc.jsonValue(),
);

const record = fc.record(
  {
    eventSource: fc.oneof(fc.constant('aws:s3'), fc.jsonValue()),
    eventName: fc.oneof(fc.constantFrom('ObjectCreated:Put', 'ObjectRemoved:Delete'), fc.jsonValue()),
    s3: fc.oneof(fc.record({ object: fc.record({ key }) }), fc.jsonValue()),
  },
  { requiredKeys: [] },
);

const event = fc.oneof(
  fc.record({ Records: fc.array(fc.oneof(record, fc.jsonValue())) }),
  fc.record({
    'detail-type': fc.constant('Object Created'),
    detail: fc.record({ object: fc.record({ key }) }),
  }),
  fc.record({ Service: fc.constant('Amazon S3'), Event: fc.constantFrom('s3:TestEvent', 's3:Another') }),
  fc.jsonValue(),
  fc.anything(),
);

test('whatever comes as an event of S3 is read, record by record, or refused by an error of ours', () => {
  fc.assert(
    fc.property(event, (value) => {
      let readings: ReturnType<typeof readObjectCreated>;
      try {
        readings = readObjectCreated(value);
      } catch (error) {
        expect(error).toBeInstanceOf(MalformedDataError);
        return;
      }
      for (const reading of readings) {
        if ('malformed' in reading) {
          expect(reading.malformed).toBeInstanceOf(MalformedDataError);
        } else {
          parse('the job', JobIdSchema, reading.upload.job);
          parse('the epoch', EpochSchema, reading.upload.epoch);
        }
      }
    }),
    { numRuns: 2_000 },
  );
});
