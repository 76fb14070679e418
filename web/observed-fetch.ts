import * as v from 'valibot';
import type { Fetch } from '../client/platform.ts';
import { TicketSchema } from '../protocol/http.ts';
import type { ClockOffset } from './clock-offset.ts';

/** How long a ticket lives (the wire contract, "WebSocket"); its end is told in whole seconds, rounded down. */
const TICKET_MS = 60_000;
const TICKET_PRECISION_MS = 1_000;

/**
 * A `fetch` that reads the server's time off every ticket that comes by, because browsers hide the `Date` header of
 * another origin. The answers pass unchanged.
 */
export function observedFetch(clock: ClockOffset, original: Fetch = (url, init) => fetch(url, init)): Fetch {
  return async (url, init) => {
    const sent = Date.now();
    const response = await original(url, init);
    if (response.status === 201 && url.endsWith('/tickets')) {
      const answered = Date.now();
      void readTicket(response.clone(), (expiresAt) => {
        const issued = expiresAt - TICKET_MS;
        clock.observeAnswer(sent, answered, issued, issued + TICKET_PRECISION_MS);
      });
    }
    return response;
  };
}

async function readTicket(response: Response, onExpiry: (expiresAt: number) => void): Promise<void> {
  try {
    const ticket = v.safeParse(TicketSchema, await response.json());
    if (ticket.success) onExpiry(Date.parse(ticket.output.expiresAt));
  } catch {
    // Not JSON, or broken off: the client reads the same answer and tells of it; here only a measurement is lost.
  }
}
