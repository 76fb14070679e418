import { type ReadonlySignal, signal } from '@preact/signals';

/** What the page shows, as the hash of its address says: `#/` or `#/jobs/<id>`. */
export type Route = { readonly name: 'home' } | { readonly name: 'job'; readonly id: string };

/** The hash of a job's page, for links. */
export function jobHash(id: string): string {
  return `#/jobs/${encodeURIComponent(id)}`;
}

/** Reads a hash; what is not an address of ours is the home page. */
export function parseHash(hash: string): Route {
  const encoded = /^#\/jobs\/([^/]+)$/.exec(hash)?.[1];
  if (encoded === undefined) return { name: 'home' };
  try {
    return { name: 'job', id: decodeURIComponent(encoded) };
  } catch (error) {
    if (error instanceof URIError) return { name: 'home' };
    throw error;
  }
}

/** Follows the address of the page. */
export class Router {
  readonly #route = signal<Route>(parseHash(location.hash));

  constructor() {
    window.addEventListener('hashchange', () => {
      this.#route.value = parseHash(location.hash);
    });
  }

  /** Where the page is. */
  get route(): ReadonlySignal<Route> {
    return this.#route;
  }

  /** Goes to the page of a job. */
  openJob(id: string): void {
    location.hash = jobHash(id);
  }
}
