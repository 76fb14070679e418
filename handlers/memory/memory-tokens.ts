import { randomUUID } from 'node:crypto';
import { InvalidTokenError } from '../errors.ts';
import type { Now, TicketScope, Tokens } from '../ports.ts';

/** How long a ticket lives, in milliseconds (the wire contract, "WebSocket": 60 seconds). */
const TICKET_MILLISECONDS = 60_000;

interface Issued<Content> {
  readonly content: Content;
  readonly expiresAt: number;
}

/** `Tokens` in memory: opaque random texts that are looked up. */
export class MemoryTokens implements Tokens {
  readonly #now: Now;
  readonly #jobTokens = new Map<string, Issued<{ readonly job: string; readonly owner: string }>>();
  readonly #tickets = new Map<string, Issued<TicketScope>>();

  /** `now` is the clock that expiry is measured by. */
  constructor(settings: { readonly now: Now }) {
    this.#now = settings.now;
  }

  async issueJobToken(
    job: { readonly id: string; readonly owner: string },
    expiresAt: string,
  ): Promise<string> {
    const token = `token-${randomUUID()}`;
    this.#jobTokens.set(token, {
      content: { job: job.id, owner: job.owner },
      expiresAt: Date.parse(expiresAt),
    });
    return token;
  }

  async verifyJobToken(token: string): Promise<{ readonly job: string; readonly owner: string }> {
    return this.#verify(this.#jobTokens, token);
  }

  async issueTicket(scope: TicketScope): Promise<{ readonly ticket: string; readonly expiresAt: string }> {
    const ticket = `ticket-${randomUUID()}`;
    const expiresAt = this.#now().getTime() + TICKET_MILLISECONDS;
    this.#tickets.set(ticket, { content: { ...scope }, expiresAt });
    return { ticket, expiresAt: new Date(expiresAt).toISOString() };
  }

  async verifyTicket(ticket: string): Promise<TicketScope> {
    return this.#verify(this.#tickets, ticket);
  }

  #verify<Content>(issued: ReadonlyMap<string, Issued<Content>>, text: string): Content {
    const found = issued.get(text);
    if (found === undefined) throw new InvalidTokenError('invalid');
    if (found.expiresAt <= this.#now().getTime()) throw new InvalidTokenError('expired');
    return found.content;
  }
}
