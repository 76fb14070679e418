import { type ReadonlySignal, signal } from '@preact/signals';
import { formatFilter, type JobFilter, NO_FILTER, parseFilter } from './job-filter.ts';

/** What the page shows, as the hash of its address says: `#/?status=running` or `#/jobs/<id>`. */
export type Route =
  | { readonly name: 'home'; readonly filter: JobFilter }
  | { readonly name: 'job'; readonly id: string };

/** The hash of a job's page, for links. */
export function jobHash(id: string): string {
  return `#/jobs/${encodeURIComponent(id)}`;
}

/** The hash of the list as a filter shows it, for links. */
export function homeHash(filter: JobFilter): string {
  return `#/${formatFilter(filter)}`;
}

/** Reads a hash; what is not an address of ours is the home page. */
export function parseHash(hash: string): Route {
  const encoded = /^#\/jobs\/([^/]+)$/.exec(hash)?.[1];
  if (encoded === undefined) {
    const query = /^#\/\?(.*)$/s.exec(hash)?.[1];
    return { name: 'home', filter: query === undefined ? NO_FILTER : parseFilter(query) };
  }
  try {
    return { name: 'job', id: decodeURIComponent(encoded) };
  } catch (error) {
    if (error instanceof URIError) return { name: 'home', filter: NO_FILTER };
    throw error;
  }
}

/** Follows the address of the page, and keeps the list's filter in it. */
export class Router {
  readonly #route = signal<Route>(parseHash(location.hash));
  readonly #filter = signal<JobFilter>(NO_FILTER);
  #moves = 0;
  #taken = 0;

  constructor() {
    this.#follow();
    window.addEventListener('hashchange', () => this.#follow());
  }

  /** Where the page is. */
  get route(): ReadonlySignal<Route> {
    return this.#route;
  }

  /** What the list shows; it stays while a job is open. */
  get filter(): ReadonlySignal<JobFilter> {
    return this.#filter;
  }

  /** Whether the page has changed since it was loaded. */
  get hasMoved(): boolean {
    return this.#moves > 0;
  }

  /** Whether the page has changed since this was asked last. */
  takeMove(): boolean {
    const isNew = this.#taken < this.#moves;
    this.#taken = this.#moves;
    return isNew;
  }

  /** Shows other jobs in the list, without a step in the browser's history for each letter of a search. */
  showOnly(filter: JobFilter): void {
    this.#filter.value = filter;
    if (this.#route.peek().name !== 'home') return;
    history.replaceState(history.state, '', homeHash(filter));
    this.#route.value = { name: 'home', filter };
  }

  /** Goes to the page of a job. */
  openJob(id: string): void {
    location.hash = jobHash(id);
  }

  /** Goes to the list. */
  openHome(): void {
    location.hash = homeHash(this.#filter.peek());
    this.#follow(); // the event comes later, and whoever called may want to use what the list brings with it
  }

  #follow(): void {
    const route = parseHash(location.hash);
    const before = this.#route.peek();
    if (
      route.name !== before.name ||
      (route.name === 'job' && before.name === 'job' && route.id !== before.id)
    ) {
      this.#moves += 1;
    }
    if (route.name === 'home') this.#filter.value = route.filter;
    this.#route.value = route;
  }
}
