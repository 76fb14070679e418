import { expect, test } from 'vitest';
import { UnavailableError } from '../../../handlers/errors.ts';
import { MemoryTokens } from '../../../handlers/memory/memory-tokens.ts';
import { createAuthorize } from '../../../handlers/socket/authorize.ts';

function setting() {
  let now = Date.UTC(2026, 10, 23, 12, 0, 0);
  const tokens = new MemoryTokens({ now: () => new Date(now) });
  const logged: unknown[] = [];
  const write = (...entry: unknown[]) => void logged.push(entry);
  const authorize = createAuthorize({ tokens, log: { info: write, warn: write, error: write } });
  const advance = (milliseconds: number) => {
    now += milliseconds;
  };
  return { tokens, authorize, logged, advance };
}

test('a ticket opens what it was made for', async () => {
  const { tokens, authorize } = setting();
  const scope = { kind: 'owner', subject: 'ann' } as const;
  expect(await authorize(await tokens.issueTicket(scope))).toEqual(scope);
});

test('a ticket that is missing, forged, expired, or the token of a job is refused with exactly "Unauthorized"', async () => {
  const { tokens, authorize, advance, logged } = setting();
  const { ticket } = await tokens.issueTicket({ kind: 'owner', subject: 'ann' });
  const token = await tokens.issueJobToken({ id: 'job_1', owner: 'ann' }, '2026-11-30T12:00:00.000Z');
  advance(60_000);
  for (const request of [{}, { ticket: '' }, { ticket: 'forged' }, { ticket }, { ticket: token }]) {
    const error = await authorize(request).catch((cause: unknown) => cause);
    expect(error).toBeInstanceOf(Error);
    expect(error).toHaveProperty('message', 'Unauthorized');
  }
  expect(JSON.stringify(logged)).not.toContain(ticket);
  expect(JSON.stringify(logged)).not.toContain(token);
});

test('keys that cannot be read are our fault, not the ticket’s', async () => {
  const ignore = () => {};
  const authorize = createAuthorize({
    tokens: { verifyTicket: () => Promise.reject(new UnavailableError('Secrets Manager')) },
    log: { info: ignore, warn: ignore, error: ignore },
  });
  await expect(authorize({ ticket: 'x' })).rejects.toThrow(UnavailableError);
});
