import { type Clock, systemClock } from '../clock.ts';
import type { InvocationOutcome, InvokableFunction } from '../functions/invocation.ts';
import { pause } from './pause.ts';
import { wasRefused } from './throttling.ts';

/** Lambda waits one minute before the first retry and two before the second (LDG:invocation-async). */
const RETRY_DELAYS_MS = [60_000, 120_000];
/** `MaximumRetryAttempts` and `MaximumEventAgeInSeconds` when there is no EventInvokeConfig (six hours). */
const DEFAULT_RETRY_ATTEMPTS = 2;
const DEFAULT_EVENT_AGE_SECONDS = 21_600;
/** Throttled events are tried again after one second, growing to five minutes (LDG:invocation-async). */
const REFUSED_FIRST_MS = 1_000;
const REFUSED_LAST_MS = 5 * 60_000;

/** `AWS::Lambda::EventInvokeConfig` and `DeadLetterConfig` of a function. */
export interface AsynchronousInvocationSettings {
  readonly target: InvokableFunction;
  /** 0 to 2; 2 by default. */
  readonly maximumRetryAttempts?: number;
  /** Six hours by default. */
  readonly maximumEventAgeInSeconds?: number;
  /** `DestinationConfig.OnFailure`: takes the invocation record. */
  readonly sendToOnFailure?: (body: string) => Promise<void>;
  /** `DestinationConfig.OnSuccess`: takes the invocation record. */
  readonly sendToOnSuccess?: (body: string) => Promise<void>;
  /** `DeadLetterConfig`: takes the event, and the attributes RequestID, ErrorCode and ErrorMessage. */
  readonly sendToDeadLetterQueue?: (
    body: string,
    attributes: Readonly<Record<string, string>>,
  ) => Promise<void>;
  readonly clock?: Clock;
  readonly log: (line: string) => void;
}

/**
 * Invokes a function asynchronously (`InvocationType: Event`), as EventBridge and S3 do: the event is
 * accepted at once, function errors are retried after one and two minutes, throttles until the event is too
 * old. Events live in memory: those that wait for a retry are lost when the runtime ends, and it says so.
 */
export class AsynchronousInvocation {
  readonly #settings: AsynchronousInvocationSettings;
  readonly #clock: Clock;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  constructor(settings: AsynchronousInvocationSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
  }

  /** Accepts an event; it must survive JSON. What comes of it is told to the destinations alone. */
  accept(event: unknown): void {
    if (this.#closing.signal.aborted) return;
    const running = this.#run(event).finally(() => this.#running.delete(running));
    this.#running.add(running);
  }

  /** Ends retries and waits for the calls under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #run(event: unknown): Promise<void> {
    const { target, maximumRetryAttempts = DEFAULT_RETRY_ATTEMPTS } = this.#settings;
    const { maximumEventAgeInSeconds = DEFAULT_EVENT_AGE_SECONDS } = this.#settings;
    const { signal } = this.#closing;
    const deadline = this.#clock.now() + maximumEventAgeInSeconds * 1000;
    let calls = 0;
    let refusedMs = REFUSED_FIRST_MS;
    for (;;) {
      const outcome = await target.invoke(event);
      const refused = wasRefused(outcome);
      if (!refused) calls += 1;
      if (outcome.kind === 'returned') {
        await this.#send(this.#settings.sendToOnSuccess, this.#record('Success', event, outcome, calls));
        return;
      }
      if (!refused && calls > maximumRetryAttempts)
        return this.#giveUp('RetriesExhausted', event, outcome, calls);
      const delayMs = refused ? refusedMs : (RETRY_DELAYS_MS[calls - 1] ?? 0);
      if (refused) refusedMs = Math.min(refusedMs * 2, REFUSED_LAST_MS);
      if (this.#clock.now() + delayMs > deadline)
        return this.#giveUp('EventAgeExceeded', event, outcome, calls);
      if (!refused && !signal.aborted) {
        this.#settings.log(`${target.name}: asynchronous event failed, next try in ${delayMs / 1000} s`);
      }
      await pause(this.#clock, delayMs, signal);
      if (signal.aborted) {
        this.#settings.log(
          `${target.name}: an asynchronous event is lost, as the runtime ends before its retry`,
        );
        return;
      }
    }
  }

  async #giveUp(
    condition: string,
    event: unknown,
    outcome: InvocationOutcome & { readonly kind: 'failed' },
    calls: number,
  ): Promise<void> {
    const { target, log, sendToOnFailure, sendToDeadLetterQueue } = this.#settings;
    log(`${target.name}: gave up on an asynchronous event (${condition}): ${outcome.error.errorMessage}`);
    await this.#send(sendToOnFailure, this.#record(condition, event, outcome, calls));
    const attributes = {
      RequestID: outcome.requestId,
      ErrorCode: wasRefused(outcome) ? '429' : '200',
      // SQS attributes are cut by Lambda at 1 KB.
      ErrorMessage: outcome.error.errorMessage.slice(0, 1024),
    };
    await this.#send(sendToDeadLetterQueue, event, attributes);
  }

  /** The invocation record of LDG:invocation-async, "Configuring destinations". */
  #record(
    condition: string,
    event: unknown,
    outcome: InvocationOutcome,
    calls: number,
  ): Record<string, unknown> {
    const failed = outcome.kind === 'failed';
    return {
      version: '1.0',
      timestamp: new Date(this.#clock.now()).toISOString(),
      requestContext: {
        requestId: outcome.requestId,
        functionArn: `${this.#settings.target.arn}:$LATEST`,
        condition,
        approximateInvokeCount: calls,
      },
      requestPayload: event,
      responseContext: {
        statusCode: 200,
        executedVersion: '$LATEST',
        ...(failed && { functionError: 'Unhandled' }),
      },
      responsePayload: failed ? outcome.error : outcome.payload,
    };
  }

  async #send(
    send: ((body: string, attributes: Readonly<Record<string, string>>) => Promise<void>) | undefined,
    body: unknown,
    attributes: Readonly<Record<string, string>> = {},
  ): Promise<void> {
    try {
      await send?.(JSON.stringify(body), attributes);
    } catch (error) {
      const { target, log } = this.#settings;
      log(`${target.name}: a destination did not take ${JSON.stringify(body)}: ${String(error)}`);
    }
  }
}
