/** Work that comes in pages, such as the watchers of one job. */
export interface Lane<Item> {
  readonly pages: AsyncIterable<readonly Item[]>;
  /** At most `limit` run at a time, over all lanes. */
  readonly work: (item: Item) => Promise<void>;
}

interface LaneState<Item> {
  readonly index: number;
  readonly lane: Lane<Item>;
  readonly iterator: AsyncIterator<readonly Item[]>;
  items: readonly Item[];
  next: number;
}

/**
 * Works through many lanes at once, at most `limit` things at a time, reading a page included. The lanes take
 * turns item by item, so that one with thousands of items delays the others by one item each, not by all of
 * them. Answers, by lane, with what its work or the reading of
 * its pages failed; a lane that fails leaves the others alone.
 */
export async function inTurns<Item>(
  lanes: readonly Lane<Item>[],
  limit: number,
): Promise<ReadonlyMap<number, unknown>> {
  const failures = new Map<number, unknown>();
  const ready: LaneState<Item>[] = lanes.map((lane, index) => ({
    index,
    lane,
    iterator: lane.pages[Symbol.asyncIterator](),
    items: [],
    next: 0,
  }));
  let active = 0;
  await new Promise<void>((resolve) => {
    const advance = (): void => {
      while (active < limit) {
        const state = ready.shift();
        if (state === undefined) break;
        active += 1;
        step(state).finally(() => {
          active -= 1;
          advance();
        });
      }
      if (active === 0 && ready.length === 0) resolve();
    };
    /** One item, with the lane behind all others again at once; or a page, with the lane waiting for it. */
    const step = async (state: LaneState<Item>): Promise<void> => {
      try {
        const item = state.items[state.next];
        if (item === undefined) await turnPage(state);
        else {
          state.next += 1;
          ready.push(state);
          await state.lane.work(item);
        }
      } catch (error) {
        failures.set(state.index, error);
      }
    };
    const turnPage = async (state: LaneState<Item>): Promise<void> => {
      const page = await state.iterator.next();
      if (page.done === true) return;
      state.items = page.value;
      state.next = 0;
      ready.push(state);
    };
    advance();
  });
  return failures;
}
