import { beforeAll, describe, expect, it } from 'vitest';
import type { Tokens } from '../../handlers/ports.ts';
import { MADE_AT, sampleNewJob } from './sample-jobs.ts';

/** Tokens, and the clock that they are measured by. */
export interface TokensUnderTest {
  readonly tokens: Tokens;
  advance(seconds: number): void;
  now(): Date;
}

/** A clock that a test moves; begins at `MADE_AT`. */
export function testClock(): { now(): Date; advance(seconds: number): void } {
  let time = Date.parse(MADE_AT);
  return {
    now: () => new Date(time),
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
}

/** What every adapter of `Tokens` must do. */
export function describeTokens(name: string, start: () => Promise<TokensUnderTest>): void {
  describe(`Tokens: ${name}`, () => {
    let tested: TokensUnderTest;
    beforeAll(async () => {
      tested = await start();
    });
    const job = sampleNewJob().id;
    const inSeconds = (seconds: number) => new Date(tested.now().getTime() + seconds * 1000).toISOString();

    it('issues a token that names its job and owner until it expires', async () => {
      const token = await tested.tokens.issueJobToken({ id: job, owner: 'ada' }, inSeconds(3600));
      expect(await tested.tokens.verifyJobToken(token)).toEqual({ job, owner: 'ada' });
      tested.advance(3599);
      expect(await tested.tokens.verifyJobToken(token)).toEqual({ job, owner: 'ada' });
      tested.advance(1);
      await expect(tested.tokens.verifyJobToken(token)).rejects.toMatchObject({
        name: 'InvalidTokenError',
        reason: 'expired',
      });
    });

    it('issues tickets that last a minute', async () => {
      const scopes = [
        { kind: 'job', subject: 'ada', job },
        { kind: 'owner', subject: 'ada' },
      ] as const;
      for (const scope of scopes) {
        const { ticket, expiresAt } = await tested.tokens.issueTicket(scope);
        expect(expiresAt).toBe(inSeconds(60));
        expect(ticket).toMatch(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/); // may be a subprotocol (RFC 6455, 4.1)
        expect(await tested.tokens.verifyTicket(ticket)).toEqual(scope);
        tested.advance(59);
        expect(await tested.tokens.verifyTicket(ticket)).toEqual(scope);
        tested.advance(1);
        await expect(tested.tokens.verifyTicket(ticket)).rejects.toMatchObject({ reason: 'expired' });
      }
    });

    it('takes no token for a ticket, nor a ticket for a token', async () => {
      const token = await tested.tokens.issueJobToken({ id: job, owner: 'ada' }, inSeconds(60));
      const { ticket } = await tested.tokens.issueTicket({ kind: 'job', subject: 'ada', job });
      await expect(tested.tokens.verifyTicket(token)).rejects.toMatchObject({ reason: 'invalid' });
      await expect(tested.tokens.verifyJobToken(ticket)).rejects.toMatchObject({ reason: 'invalid' });
    });

    it('refuses whatever it did not issue', async () => {
      const { ticket } = await tested.tokens.issueTicket({ kind: 'owner', subject: 'ada' });
      const changed = `${ticket.slice(0, -6)}${ticket.slice(-6) === 'AAAAAA' ? 'BBBBBB' : 'AAAAAA'}`;
      for (const forged of [
        '',
        '.',
        '..',
        'a.b.c',
        'null',
        '\u0000',
        'x'.repeat(10_000),
        changed,
        `${ticket}.`,
      ]) {
        await expect(tested.tokens.verifyTicket(forged), forged).rejects.toMatchObject({ reason: 'invalid' });
        await expect(tested.tokens.verifyJobToken(forged), forged).rejects.toMatchObject({
          reason: 'invalid',
        });
      }
    });
  });
}
