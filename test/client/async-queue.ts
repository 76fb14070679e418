/** Values that come and are waited for, in order. */
export class AsyncQueue<Value> {
  readonly #values: Value[] = [];
  readonly #waiting: ((value: Value) => void)[] = [];

  /** Hands the value to who waits, or keeps it. */
  push(value: Value): void {
    const waiter = this.#waiting.shift();
    if (waiter === undefined) this.#values.push(value);
    else waiter(value);
  }

  /** The next value, now or once there is one. */
  next(): Promise<Value> {
    if (this.#values.length > 0) return Promise.resolve(this.#values.shift() as Value); // there is one
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  /** How many values nobody has taken. */
  get size(): number {
    return this.#values.length;
  }
}
