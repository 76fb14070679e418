import type { Connections } from '../ports.ts';
import type { ConnectionPoster } from './connection-poster.ts';

/**
 * ConnectionPoster, loaded when the first frame is posted: for a function that posts seldom, and whose start would
 * pay for undici, a TLS context and a signing key every time.
 */
export class LateConnectionPoster implements Connections {
  readonly #settings: { readonly socketUrl: string };
  #poster: Promise<ConnectionPoster> | undefined;

  /** As those of ConnectionPoster. */
  constructor(settings: { readonly socketUrl: string }) {
    this.#settings = settings;
  }

  async post(connection: string, frame: string): Promise<void> {
    this.#poster ??= this.#load();
    const poster = await this.#poster;
    await poster.post(connection, frame);
  }

  async #load(): Promise<ConnectionPoster> {
    const module = await import('./connection-poster.ts');
    return new module.ConnectionPoster(this.#settings);
  }
}
