import { batch, type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { isNewer, type Job } from '../protocol/job.ts';

/** The most jobs that the page keeps and lists. */
export const MAXIMUM_LISTED = 500;

/**
 * The newest state of every job that the page knows. One signal a job, so that a change redraws what shows that
 * job and nothing else.
 */
export class JobTable {
  readonly #jobs = new Map<string, Signal<Job | undefined>>();
  readonly #order = signal<readonly string[]>([]);
  readonly #onForget: (id: string) => void;
  #pinned: string | undefined;

  /** @param onForget hears of each job that is neither listed nor open any more. */
  constructor(onForget: (id: string) => void) {
    this.#onForget = onForget;
  }

  /** The ids, newest job first. */
  get order(): ReadonlySignal<readonly string[]> {
    return this.#order;
  }

  /** The newest state of a job; its value is absent until one is known. */
  job(id: string): ReadonlySignal<Job | undefined> {
    return this.#signal(id);
  }

  /** Keeps the job whose page is open, however old it is, and lets go of the one before. */
  pin(id: string | undefined): void {
    const before = this.#pinned;
    this.#pinned = id;
    if (before !== undefined && before !== id && !this.#order.peek().includes(before)) this.#forget(before);
  }

  /** Takes a state from wherever; what is not newer changes nothing. */
  put(job: Job): void {
    const known = this.#signal(job.id);
    if (!isNewer(job, known.peek())) return;
    const isNew = known.peek() === undefined;
    batch(() => {
      known.value = job;
      if (isNew) this.#insert(job);
    });
  }

  #insert(job: Job): void {
    const ids = [...this.#order.peek(), job.id].sort((one, other) => this.#compare(one, other));
    for (const forgotten of ids.splice(MAXIMUM_LISTED)) {
      if (forgotten !== this.#pinned) this.#forget(forgotten);
    }
    this.#order.value = ids;
  }

  #forget(id: string): void {
    this.#jobs.delete(id);
    this.#onForget(id);
  }

  #compare(one: string, other: string): number {
    const made = (id: string) => this.#signal(id).peek()?.createdAt ?? '';
    return made(other).localeCompare(made(one)) || other.localeCompare(one);
  }

  #signal(id: string): Signal<Job | undefined> {
    let known = this.#jobs.get(id);
    if (known === undefined) {
      known = signal<Job | undefined>(undefined);
      this.#jobs.set(id, known);
    }
    return known;
  }
}
