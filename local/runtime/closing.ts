/** What must be stopped, in the reverse of the order in which it was started. */
export class Closing {
  readonly #steps: (() => Promise<void> | void)[] = [];

  /** Adds a step; those added later run earlier. */
  add(step: () => Promise<void> | void): void {
    this.#steps.push(step);
  }

  /**
   * Runs every step, also after one has failed.
   * @throws AggregateError with all failures.
   */
  async run(): Promise<void> {
    const failures: unknown[] = [];
    for (let step = this.#steps.pop(); step !== undefined; step = this.#steps.pop()) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw new AggregateError(failures, 'Some parts did not stop cleanly');
  }
}
