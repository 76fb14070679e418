import type fc from 'fast-check';

/**
 * The life of one invocation: after so many steps it dies, before or after a step took effect, and nothing of it
 * ever goes on.
 */
export class Life {
  readonly #dead = Promise.withResolvers<'died'>();
  #left: number;

  /** `moments` is how many it has: two a step. Undefined: it never dies. */
  constructor(moments: number | undefined) {
    this.#left = moments ?? Number.POSITIVE_INFINITY;
  }

  /** What the invocation answers, unless it dies first. */
  async lead<Result>(work: Promise<Result>): Promise<Result | 'died'> {
    return await Promise.race([work, this.#dead.promise]);
  }

  /** A step that takes effect at a moment that the scheduler chooses, and is heard of at another. */
  step<Arguments extends unknown[], Result>(
    scheduler: fc.Scheduler,
    step: (...args: Arguments) => Promise<Result>,
  ): (...args: Arguments) => Promise<Result> {
    return async (...args) => {
      if (this.#left <= 0) await new Promise(() => {});
      await scheduler.schedule(Promise.resolve());
      await this.#pass();
      const result = await scheduler.schedule(step(...args));
      await this.#pass();
      return result;
    };
  }

  async #pass(): Promise<void> {
    this.#left -= 1;
    if (this.#left > 0) return;
    this.#dead.resolve('died');
    await new Promise(() => {});
  }
}
