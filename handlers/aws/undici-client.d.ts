/**
 * The two modules of undici that posting needs. Its entry brings fetch, caches, mocks and WebSockets as well: a
 * bundle of 1 MB that takes 40 ms more to load (docs/decisions/0015-our-own-poster.md). The entry offers both under
 * the names that the types have here.
 */

declare module 'undici/lib/dispatcher/client.js' {
  import { Client } from 'undici';
  export default Client;
}

declare module 'undici/lib/core/connect.js' {
  import { buildConnector } from 'undici';
  export default buildConnector;
}
