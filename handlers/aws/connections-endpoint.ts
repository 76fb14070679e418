/**
 * The URL of a WebSocket API's @connections without `/@connections`: `wss://…/<stage>` becomes `https://…/<stage>`,
 * `ws://…` `http://…` (aws-facts 2).
 */
export function connectionsEndpoint(socketUrl: string): URL {
  const url = new URL(socketUrl.replace(/^ws/, 'http'));
  url.pathname = url.pathname.replace(/\/+$/, '');
  return url;
}
