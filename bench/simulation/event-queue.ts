/** Something that happens at a moment of simulated time, in seconds. */
export interface TimedEvent<Item> {
  readonly at: number;
  readonly item: Item;
}

/** What happens next in a simulation: events by time, those of one moment in the order in which they were added. */
export class EventQueue<Item> {
  /** A binary heap: no event is before its parent, which stands at half its place. */
  readonly #heap: (TimedEvent<Item> & { readonly order: number })[] = [];
  #added = 0;

  add(at: number, item: Item): void {
    const event = { at, item, order: this.#added };
    this.#added += 1;
    let place = this.#heap.length;
    this.#heap.push(event);
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const above = this.#heap[parent];
      if (above === undefined || isBefore(above, event)) break;
      this.#heap[place] = above;
      place = parent;
    }
    this.#heap[place] = event;
  }

  /** Takes the next event; undefined when there is none. */
  next(): TimedEvent<Item> | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    let place = 0;
    for (;;) {
      const left = this.#heap[2 * place + 1];
      if (left === undefined) break;
      const right = this.#heap[2 * place + 2];
      const isRight = right !== undefined && isBefore(right, left);
      const child = isRight ? right : left;
      if (isBefore(last, child)) break;
      this.#heap[place] = child;
      place = 2 * place + (isRight ? 2 : 1);
    }
    this.#heap[place] = last;
    return first;
  }
}

function isBefore(
  one: { readonly at: number; readonly order: number },
  other: { readonly at: number; readonly order: number },
): boolean {
  return one.at < other.at || (one.at === other.at && one.order < other.order);
}
