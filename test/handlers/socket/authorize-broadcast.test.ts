import { expect, test } from 'vitest';
import { UnavailableError } from '../../../handlers/errors.ts';
import { MemoryTokens } from '../../../handlers/memory/memory-tokens.ts';
import { createAuthorizeBroadcast } from '../../../handlers/socket/authorize-broadcast.ts';
import { sampleNewJob } from '../../conformance/sample-jobs.ts';
import { RecordedTelemetry } from '../process/recorded-telemetry.ts';

const { id: job } = sampleNewJob();
let now = Date.UTC(2026, 10, 23);
const tokens = new MemoryTokens({ now: () => new Date(now) });
const telemetry = new RecordedTelemetry();
const authorize = createAuthorizeBroadcast({ tokens, log: telemetry.log });

test('the bearer of a ticket for one job may subscribe to that', async () => {
  const { ticket } = await tokens.issueTicket({ kind: 'job', subject: 'ada', job });
  expect(await authorize({ ticket })).toBe(job);
});

test('all others may not, and the log says why, but not with what', async () => {
  const { ticket: ofOwner } = await tokens.issueTicket({ kind: 'owner', subject: 'ada' });
  const { ticket: expired } = await tokens.issueTicket({ kind: 'job', subject: 'ada', job });
  const token = await tokens.issueJobToken({ id: job, owner: 'ada' }, '2026-12-01T00:00:00.000Z');
  expect(await authorize({ ticket: ofOwner })).toBeUndefined();
  now += 61_000;
  for (const ticket of [expired, token, 'forged']) expect(await authorize({ ticket })).toBeUndefined();
  expect(await authorize({})).toBeUndefined();
  expect(telemetry.lines.map(({ fields }) => fields)).toEqual([
    { reason: 'the ticket is for no single job' },
    { reason: 'expired' },
    { reason: 'invalid' },
    { reason: 'invalid' },
    { reason: 'no ticket' },
  ]);
  expect(JSON.stringify(telemetry.lines)).not.toContain('forged');
});

test('a secret that cannot be read is an error, not a refusal', async () => {
  const verifyTicket = async () => {
    throw new UnavailableError('Secrets Manager');
  };
  const broken = createAuthorizeBroadcast({ tokens: { verifyTicket }, log: telemetry.log });
  await expect(broken({ ticket: 'x' })).rejects.toBeInstanceOf(UnavailableError);
});
