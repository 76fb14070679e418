import fc from 'fast-check';
import { expect, test } from 'vitest';
import { brokerAllow, brokerRefuse, readBrokerConnect } from '../../handlers/aws/iot-authorizer-event.ts';
import { readRemovedJobs } from '../../handlers/aws/removed-jobs.ts';
import { MemoryTokens } from '../../handlers/memory/memory-tokens.ts';
import { createAuthorizeBroadcast } from '../../handlers/socket/authorize-broadcast.ts';
import { sampleNewJob } from '../conformance/sample-jobs.ts';
import { RecordedTelemetry } from '../handlers/process/recorded-telemetry.ts';

const anything = fc.oneof(fc.jsonValue(), fc.string({ unit: 'binary', maxLength: 60 }));
const nearlyRight = fc.record(
  {
    protocols: anything,
    protocolData: fc.oneof(
      anything,
      fc.record(
        {
          mqtt: fc.oneof(
            anything,
            fc.record({ username: anything, password: anything, clientId: anything }, { requiredKeys: [] }),
          ),
          http: fc.oneof(
            anything,
            fc.record({ queryString: anything, headers: anything }, { requiredKeys: [] }),
          ),
        },
        { requiredKeys: [] },
      ),
    ),
  },
  { requiredKeys: [] },
);

test('whoever connects to the broker with whatever is answered, and not let in', async () => {
  const { log } = new RecordedTelemetry();
  const tokens = new MemoryTokens({ now: () => new Date() });
  await tokens.issueTicket({ kind: 'job', subject: 'ada', job: sampleNewJob().id });
  const authorize = createAuthorizeBroadcast({ tokens, log });
  await fc.assert(
    fc.asyncProperty(fc.oneof(anything, nearlyRight), async (event) => {
      const job = await authorize(readBrokerConnect(event));
      const answer = job === undefined ? brokerRefuse() : brokerAllow(job, 'arn:aws:lambda:r:1:function:f');
      expect(answer.isAuthenticated).toBe(false);
    }),
    { numRuns: 2_000 },
  );
});

test('deletions in any batch are read, or passed over', () => {
  const record = fc.oneof(
    anything,
    fc.record({
      eventName: fc.constantFrom('REMOVE', 'MODIFY'),
      dynamodb: fc.oneof(
        anything,
        fc.record({ SequenceNumber: anything, Keys: fc.oneof(anything, fc.record({ job: anything })) }),
      ),
    }),
  );
  fc.assert(
    fc.property(fc.oneof(anything, fc.record({ Records: fc.array(record) })), (event) => {
      for (const { job } of readRemovedJobs(event)) expect(job).toMatch(/^job_/);
    }),
    { numRuns: 2_000 },
  );
});
