import { GatewaySettingsError } from './gateway-error.ts';
import type { HttpRoute } from './http-settings.ts';

/** The route of a request, with the parameters of its path. */
export interface MatchedRoute {
  readonly route: HttpRoute;
  /** Decoded; empty if the route has none. */
  readonly pathParameters: Readonly<Record<string, string>>;
}

/** The routes of an HTTP API in the order in which AWS prefers them. */
export interface HttpRouter {
  /** `path` is without the stage. Undefined: no route, a 404. */
  match(method: string, path: string): MatchedRoute | undefined;
}

type Segment =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'variable' | 'greedy'; readonly name: string };

interface ParsedRoute {
  readonly route: HttpRoute;
  readonly method: string;
  readonly segments: readonly Segment[];
}

const METHODS = ['ANY', 'DELETE', 'GET', 'HEAD', 'OPTIONS', 'PATCH', 'POST', 'PUT'];

/**
 * Reads the route keys. A request takes the most specific route: text before a variable before a greedy one,
 * segment by segment, then its own method before ANY, and `$default` last
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-routes.html).
 *
 * @throws GatewaySettingsError for a key that cannot be read, or is there twice
 */
export function httpRouter(routes: readonly HttpRoute[]): HttpRouter {
  const keys = new Set<string>();
  for (const { routeKey } of routes) {
    if (keys.has(routeKey)) throw new GatewaySettingsError(`There are two routes "${routeKey}"`);
    keys.add(routeKey);
  }
  const fallback = routes.find(({ routeKey }) => routeKey === '$default');
  const parsed = routes
    .filter((route) => route !== fallback)
    .map(parseRoute)
    .sort(compareSpecificity);
  return {
    match(method, path) {
      const parts = path.split('/').slice(1);
      for (const { route, method: own, segments } of parsed) {
        if (own !== 'ANY' && own !== method) continue;
        const pathParameters = matchSegments(segments, parts);
        if (pathParameters !== undefined) return { route, pathParameters };
      }
      return fallback === undefined ? undefined : { route: fallback, pathParameters: {} };
    },
  };
}

/** `text` with its percent-escapes decoded; as it is if they are broken. */
export function decodePath(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray "%" is the client's own; the function gets what was sent.
    return text;
  }
}

function parseRoute(route: HttpRoute): ParsedRoute {
  const [, method = '', path] = /^([A-Z]+) \/(\S*)$/.exec(route.routeKey) ?? [];
  if (path === undefined || !METHODS.includes(method)) {
    throw new GatewaySettingsError(`Route "${route.routeKey}": expected "$default" or "<METHOD> /<path>"`);
  }
  const segments = path.split('/').map((text, index, all): Segment => {
    const [, name, plus] = /^\{([A-Za-z0-9_.-]+)(\+?)\}$/.exec(text) ?? [];
    if (name === undefined && /[{}]/.test(text)) {
      throw new GatewaySettingsError(`Route "${route.routeKey}": a variable must be a whole segment`);
    }
    if (plus === '+' && index !== all.length - 1) {
      throw new GatewaySettingsError(`Route "${route.routeKey}": a greedy variable must be the last segment`);
    }
    if (name === undefined) return { kind: 'text', text };
    return { kind: plus === '+' ? 'greedy' : 'variable', name };
  });
  return { route, method, segments };
}

const RANK = { text: 0, variable: 1, greedy: 2 } as const;

function compareSpecificity(left: ParsedRoute, right: ParsedRoute): number {
  const greedy = Number(isGreedy(left)) - Number(isGreedy(right));
  if (greedy !== 0) return greedy;
  const length = Math.min(left.segments.length, right.segments.length);
  for (let index = 0; index < length; index += 1) {
    const [one, other] = [left.segments[index], right.segments[index]];
    if (one !== undefined && other !== undefined && one.kind !== other.kind)
      return RANK[one.kind] - RANK[other.kind];
  }
  if (left.segments.length !== right.segments.length) return right.segments.length - left.segments.length;
  return Number(left.method === 'ANY') - Number(right.method === 'ANY');
}

function isGreedy({ segments }: ParsedRoute): boolean {
  return segments.at(-1)?.kind === 'greedy';
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Readonly<Record<string, string>> | undefined {
  const found: Record<string, string> = {};
  for (const [index, segment] of segments.entries()) {
    const part = parts[index];
    if (segment.kind === 'greedy') {
      const rest = parts.slice(index).join('/');
      if (rest === '') return undefined;
      found[segment.name] = decodePath(rest);
      return found;
    }
    if (part === undefined) return undefined;
    if (segment.kind === 'text' && segment.text !== decodePath(part)) return undefined;
    if (segment.kind === 'variable') {
      if (part === '') return undefined;
      found[segment.name] = decodePath(part);
    }
  }
  return parts.length === segments.length ? found : undefined;
}
