import { type Clock, systemClock } from '../clock.ts';
import { compilePattern, type EventMatcher } from './pattern.ts';
import { backOffMs, pause } from './pause.ts';

/** `RetryPolicy` of a target without one: 24 hours and 185 attempts (aws-facts 4). */
const DEFAULT_EVENT_AGE_SECONDS = 86_400;
const DEFAULT_RETRY_ATTEMPTS = 185;
/** Longest wait between two attempts, in milliseconds; EventBridge documents no figure. */
const LONGEST_BACK_OFF_MS = 10 * 60_000;

/** An event of EventBridge. */
export interface BusEvent {
  readonly version: '0';
  readonly id: string;
  readonly 'detail-type': string;
  readonly source: string;
  readonly account: string;
  /** ISO 8601, in whole seconds. */
  readonly time: string;
  readonly region: string;
  readonly resources: readonly string[];
  readonly detail: unknown;
}

/** A target of a rule; named as in `AWS::Events::Rule`. */
export interface RuleTarget {
  readonly id: string;
  readonly arn: string;
  /**
   * Hands the event over: accepts an asynchronous invocation, sends a message, starts an execution. Rejects
   * when the target does not take it; then it is tried again.
   */
  readonly deliver: (event: BusEvent) => Promise<void> | void;
  /** `RetryPolicy.MaximumRetryAttempts`. */
  readonly maximumRetryAttempts?: number;
  /** `RetryPolicy.MaximumEventAgeInSeconds`. */
  readonly maximumEventAgeInSeconds?: number;
  /** `DeadLetterConfig`: takes the event, and what EventBridge says about it as message attributes. */
  readonly sendToDeadLetterQueue?: (
    body: string,
    attributes: Readonly<Record<string, string>>,
  ) => Promise<void>;
}

/** Settings of `Rule`. */
export interface RuleSettings {
  readonly arn: string;
  readonly eventPattern: unknown;
  readonly targets: readonly RuleTarget[];
  readonly clock?: Clock;
  readonly log: (line: string) => void;
}

/** A rule on the default event bus: events that match its pattern go to each of its targets. */
export class Rule {
  readonly #settings: RuleSettings;
  readonly #clock: Clock;
  readonly #matches: EventMatcher;
  readonly #closing = new AbortController();
  readonly #running = new Set<Promise<void>>();

  /** Throws `InvalidPatternError`. */
  constructor(settings: RuleSettings) {
    this.#settings = settings;
    this.#clock = settings.clock ?? systemClock;
    this.#matches = compilePattern(settings.eventPattern);
  }

  /** Takes an event from the bus; tells whether it matches. */
  accept(event: BusEvent): boolean {
    if (this.#closing.signal.aborted || !this.#matches(event)) return false;
    for (const target of this.#settings.targets) {
      const running = this.#deliver(event, target).finally(() => this.#running.delete(running));
      this.#running.add(running);
    }
    return true;
  }

  /** Ends retries and waits for the deliveries under way. */
  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all(this.#running);
  }

  async #deliver(event: BusEvent, target: RuleTarget): Promise<void> {
    const { maximumRetryAttempts = DEFAULT_RETRY_ATTEMPTS } = target;
    const { maximumEventAgeInSeconds = DEFAULT_EVENT_AGE_SECONDS } = target;
    const { signal } = this.#closing;
    const deadline = this.#clock.now() + maximumEventAgeInSeconds * 1000;
    for (let retries = 0; ; retries += 1) {
      try {
        await target.deliver(event);
        return;
      } catch (error) {
        const delayMs = backOffMs(retries + 1, LONGEST_BACK_OFF_MS);
        const exhausted = retries >= maximumRetryAttempts;
        if (exhausted || this.#clock.now() + delayMs > deadline) {
          const condition = exhausted ? 'MaximumRetryAttempts' : 'MaximumEventAgeInSeconds';
          return this.#giveUp(event, target, condition, retries, error);
        }
        await pause(this.#clock, delayMs, signal);
        if (signal.aborted) {
          this.#settings.log(`${this.#settings.arn}: an event for ${target.id} is lost, as the runtime ends`);
          return;
        }
      }
    }
  }

  async #giveUp(
    event: BusEvent,
    target: RuleTarget,
    condition: string,
    retries: number,
    cause: unknown,
  ): Promise<void> {
    const { arn, log } = this.#settings;
    log(`${arn}: target ${target.id} did not take event ${event.id} (${condition}): ${String(cause)}`);
    const attributes = {
      RULE_ARN: arn,
      TARGET_ARN: target.arn,
      ERROR_CODE: cause instanceof Error ? cause.name : 'SDK_CLIENT_ERROR',
      ERROR_MESSAGE: cause instanceof Error ? cause.message : String(cause),
      EXHAUSTED_RETRY_CONDITION: condition,
      RETRY_ATTEMPTS: String(retries),
    };
    try {
      await target.sendToDeadLetterQueue?.(JSON.stringify(event), attributes);
    } catch (error) {
      log(`${arn}: the dead-letter queue did not take ${JSON.stringify(event)}: ${String(error)}`);
    }
  }
}
