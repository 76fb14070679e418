/**
 * What bundles hold in place of `node:http2` (infrastructure/bundles.ts). The SDK and undici load it in case a server
 * speaks HTTP/2; none of those that functions call is asked to, and to load it takes a fifth of a cold start.
 */

/** Names of headers, which undici looks up when it is loaded. */
export const constants = {};

/** Not here. */
export function connect(): never {
  throw new TypeError('The bundles of functions cannot speak HTTP/2: see infrastructure/bundles.ts');
}

export default { constants, connect };
