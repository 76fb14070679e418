/** `CorsConfiguration` of an HTTP API. */
export interface CorsConfiguration {
  /** Origins, `*`, or with a wildcard such as `https://*`. */
  readonly allowOrigins?: readonly string[];
  readonly allowMethods?: readonly string[];
  readonly allowHeaders?: readonly string[];
  readonly exposeHeaders?: readonly string[];
  readonly allowCredentials?: boolean;
  /** Seconds. */
  readonly maxAge?: number;
}

/** Whether a request is a preflight, which a gateway with CORS answers itself. */
export function isPreflight(method: string, headers: Readonly<Record<string, unknown>>): boolean {
  return (
    method === 'OPTIONS' &&
    headers['origin'] !== undefined &&
    headers['access-control-request-method'] !== undefined
  );
}

/**
 * The headers of a preflight's answer, which is 204 in any case: none if the origin is not allowed
 * (https://docs.aws.amazon.com/apigateway/latest/developerguide/http-api-cors.html).
 */
export function preflightHeaders(cors: CorsConfiguration, origin: string): Readonly<Record<string, string>> {
  const allowed = answerHeaders(cors, origin);
  if (allowed['access-control-allow-origin'] === undefined) return {};
  return {
    ...allowed,
    ...list('access-control-allow-methods', cors.allowMethods),
    ...list('access-control-allow-headers', cors.allowHeaders),
    ...(cors.maxAge === undefined ? {} : { 'access-control-max-age': String(cors.maxAge) }),
  };
}

/** The headers that the gateway adds to every other answer; those of the function are dropped for them. */
export function answerHeaders(
  cors: CorsConfiguration,
  origin: string | undefined,
): Readonly<Record<string, string>> {
  const allowOrigin = origin === undefined ? undefined : allowedOrigin(cors, origin);
  if (allowOrigin === undefined) return {};
  return {
    'access-control-allow-origin': allowOrigin,
    ...(cors.allowCredentials === true ? { 'access-control-allow-credentials': 'true' } : {}),
    ...list('access-control-expose-headers', cors.exposeHeaders),
  };
}

function allowedOrigin(cors: CorsConfiguration, origin: string): string | undefined {
  for (const pattern of cors.allowOrigins ?? []) {
    if (pattern === '*') return '*';
    const [start = '', end] = pattern.toLowerCase().split('*');
    const given = origin.toLowerCase();
    const matches = end === undefined ? given === start : given.startsWith(start) && given.endsWith(end);
    if (matches) return origin;
  }
  return undefined;
}

function list(name: string, values: readonly string[] | undefined): Readonly<Record<string, string>> {
  return values === undefined || values.length === 0 ? {} : { [name]: values.join(',') };
}
