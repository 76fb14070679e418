import { type ReadonlySignal, signal } from '@preact/signals';
import { createBackOff } from '../client/back-off.ts';
import { ProblemError } from '../client/errors.ts';
import type { ConnectionState } from '../client/state.ts';
import type { JobPage } from '../protocol/http.ts';
import type { Job } from '../protocol/job.ts';

/** How many jobs one page of the list has. */
const PAGE = 100;

/**
 * Whether the list of jobs has come; `cursor` where the server has older ones, `asking` while they are asked for.
 */
export type ListState =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly cursor?: string; readonly asking?: boolean }
  | { readonly status: 'failed'; readonly error: unknown };

/** What the listing asks and tells. */
export interface ListingParts {
  readonly list: (options: { readonly limit: number; readonly cursor?: string }) => Promise<JobPage>;
  /** Takes the jobs of a page. */
  readonly learn: (jobs: readonly Job[]) => void;
  /** From 0 to 1; `Math.random` unless told. */
  readonly random?: () => number;
}

/**
 * Asks `GET /jobs` once for each connection, as deep as the reader has gone: the topic `owner:me` tells of changes
 * only, so that what came up while the connection was lost would be missed. What fails is asked again while the
 * connection lives.
 */
export class JobListing {
  readonly #parts: ListingParts;
  readonly #state = signal<ListState>({ status: 'loading' });
  readonly #backOff;
  /** How many pages are shown, and read again after a gap. */
  #pages = 1;
  #live = false;
  #due = true;
  #running = false;
  #wake = () => {};

  constructor(parts: ListingParts) {
    this.#parts = parts;
    this.#backOff = createBackOff(parts.random ?? Math.random);
  }

  /** How far the list is. */
  get state(): ReadonlySignal<ListState> {
    return this.#state;
  }

  /** Follows the connection: each that comes to life has a gap before it. */
  follow({ status }: ConnectionState): void {
    this.#live = status === 'live';
    if (!this.#live) this.#due = true;
    this.#wake();
    // Also without a connection while there is nothing to show: HTTP may pass where sockets do not.
    if (this.#live || this.#state.peek().status === 'loading') void this.#run();
  }

  /**
   * Lists the page of older jobs, if there is one and it is not on its way.
   * @throws what the client's `list` throws; the place in the list is kept.
   */
  async older(): Promise<void> {
    const before = this.#state.peek();
    if (before.status !== 'ready' || before.cursor === undefined || before.asking === true) return;
    this.#state.value = { ...before, asking: true };
    try {
      const cursor = await this.#page(before.cursor);
      this.#pages += 1;
      this.#ready(cursor);
    } catch (error) {
      this.#ready(before.cursor);
      throw error;
    }
  }

  async #run(): Promise<void> {
    if (this.#running) return; // it looks at `due` again before it ends
    this.#running = true;
    while (this.#due) {
      this.#due = false;
      try {
        await this.#read();
        this.#backOff.reset();
      } catch (error) {
        this.#due = true;
        if (this.#state.peek().status !== 'ready') this.#state.value = { status: 'failed', error };
        if (!this.#live || (error instanceof ProblemError && !error.retryable)) break;
        await this.#pause(this.#backOff.nextDelayMs());
      }
      if (!this.#live) break;
    }
    this.#running = false;
  }

  async #read(): Promise<void> {
    let cursor = await this.#page(undefined);
    for (let page = 1; page < this.#pages && cursor !== undefined; page += 1)
      cursor = await this.#page(cursor);
    this.#ready(cursor);
  }

  async #page(cursor: string | undefined): Promise<string | undefined> {
    const page = await this.#parts.list({ limit: PAGE, ...(cursor === undefined ? {} : { cursor }) });
    this.#parts.learn(page.jobs);
    return page.cursor;
  }

  #ready(cursor: string | undefined): void {
    this.#state.value = { status: 'ready', ...(cursor === undefined ? {} : { cursor }) };
  }

  /** Ends early when the connection changes. */
  #pause(milliseconds: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, milliseconds);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
