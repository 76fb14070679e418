import { setTimeout as delay } from 'node:timers/promises';
import * as v from 'valibot';
import { InvariantError } from './measure.ts';

/** What a polling client reads of a job. */
const PolledSchema = v.object({
  progress: v.exactOptional(v.object({ done: v.exactOptional(v.number()) })),
});

/** A client without a socket. */
export interface PollingClient {
  readonly requests: number;
  /** Ends it, once the request under way is answered; rejects with what went wrong meanwhile. */
  stop(): Promise<void>;
}

/**
 * Asks for a job every `intervalMs`, beginning at a random moment of the first interval as independent clients do,
 * and hands on the change that each answer tells of.
 */
export function startPolling(settings: {
  readonly url: string;
  readonly token: string;
  readonly intervalMs: number;
  readonly onChange: (change: number) => void;
}): PollingClient {
  const { url, token, intervalMs, onChange } = settings;
  const stopping = new AbortController();
  let requests = 0;
  const poll = async () => {
    let next = performance.now() + Math.random() * intervalMs;
    for (;;) {
      const waited = await delay(Math.max(0, next - performance.now()), true, {
        signal: stopping.signal,
      }).catch(
        // Rejects only because `stop` was called.
        () => false,
      );
      if (!waited) return;
      requests += 1;
      const response = await fetch(url, { headers: { authorization: `Bearer ${token}` } });
      if (!response.ok) throw new InvariantError(`GET ${url} was answered with ${response.status}`);
      onChange(v.parse(PolledSchema, await response.json()).progress?.done ?? 0);
      next += intervalMs;
    }
  };
  const polling = poll();
  // Told by `stop`, which may be called only later.
  polling.catch(() => {});
  return {
    get requests() {
      return requests;
    },
    async stop() {
      stopping.abort();
      await polling;
    },
  };
}
