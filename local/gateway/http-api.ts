import type { IncomingMessage, ServerResponse } from 'node:http';
import { answerHeaders, isPreflight, preflightHeaders } from './cors.ts';
import { GatewaySettingsError } from './gateway-error.ts';
import { HttpAuthorization } from './http-authorizer.ts';
import { type HttpEdge, httpApiEvent, httpRequestFacts, splitUrl } from './http-event.ts';
import { gatewayAnswer, type HttpAnswer, lambdaAnswer } from './http-response.ts';
import { type HttpRouter, httpRouter, type MatchedRoute } from './http-route.ts';
import type { HttpApiSettings, HttpAuthorizer } from './http-settings.ts';
import { describeFailure, invokeWithin } from './integration.ts';
import {
  CLOSE_GRACE_MS,
  MAXIMUM_HTTP_BODY_BYTES,
  MAXIMUM_HTTP_HEADER_BYTES,
  MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS,
  MAXIMUM_INVOCATION_BYTES,
} from './limits.ts';
import { type ListeningServer, listen } from './listening-server.ts';
import { readBody } from './request-body.ts';
import { RouteThrottle } from './throttle.ts';
import { WorkInProgress } from './work-in-progress.ts';

/**
 * Starts one stage of an HTTP API on `node:http`.
 *
 * @throws GatewaySettingsError for settings that API Gateway would refuse, and the system's error if the port
 * cannot be had
 */
export async function startHttpApi(settings: HttpApiSettings): Promise<HttpApi> {
  for (const { routeKey, integrationTimeoutMs = MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS } of settings.routes) {
    if (integrationTimeoutMs < 50 || integrationTimeoutMs > MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS) {
      throw new GatewaySettingsError(
        `Route "${routeKey}": TimeoutInMillis must be 50 to ${MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS}, not ${integrationTimeoutMs}`,
      );
    }
  }
  const router = httpRouter(settings.routes);
  const authorizers = settings.routes.flatMap(({ authorizer }) => authorizer ?? []);
  const authorizations = new Map(
    authorizers.map((authorizer) => [authorizer, new HttpAuthorization(authorizer, settings.clock)]),
  );
  const options = { maxHeaderSize: MAXIMUM_HTTP_HEADER_BYTES };
  const listening = await listen(settings.host ?? '127.0.0.1', settings.port, options);
  return new HttpApi(settings, router, authorizations, listening);
}

/** A running HTTP API. Make one with `startHttpApi`. */
export class HttpApi {
  /** `http://host:port`, with `/stage` unless the stage is `$default`. No slash at the end. */
  readonly url: string;
  /** The port that is listened on. */
  readonly port: number;

  readonly #settings: HttpApiSettings;
  readonly #router: HttpRouter;
  readonly #authorizations: ReadonlyMap<HttpAuthorizer, HttpAuthorization>;
  readonly #listening: ListeningServer;
  readonly #throttle: RouteThrottle;
  readonly #work: WorkInProgress;
  #closing = false;

  /** Takes over a server that listens already. */
  constructor(
    settings: HttpApiSettings,
    router: HttpRouter,
    authorizations: ReadonlyMap<HttpAuthorizer, HttpAuthorization>,
    listening: ListeningServer,
  ) {
    this.#settings = settings;
    this.#router = router;
    this.#authorizations = authorizations;
    this.#listening = listening;
    this.#throttle = new RouteThrottle(settings.throttling, settings.clock);
    this.port = listening.port;
    const stage = settings.stageName === '$default' ? '' : `/${settings.stageName}`;
    this.url = `http://${listening.host}:${listening.port}${stage}`;
    this.#work = new WorkInProgress(settings.log);
    listening.server.on('request', (request, response) => this.#work.track(this.#serve(request, response)));
  }

  /** Stops: answers what it can within `CLOSE_GRACE_MS`, cuts off the rest, and gives the port back. */
  async close(): Promise<void> {
    this.#closing = true;
    await this.#work.settle(CLOSE_GRACE_MS);
    await this.#listening.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { cors } = this.#settings;
    const { origin } = request.headers;
    if (cors !== undefined && isPreflight(request.method ?? '', request.headers)) {
      response.writeHead(204, preflightHeaders(cors, origin ?? '')).end();
      return;
    }
    const answer = await this.#answer(request);
    if (answer === undefined) return;
    for (const [name, value] of Object.entries(answer.headers)) {
      // With CORS configured at the API, what the function says of it is ignored (APIGW:http-api-cors).
      if (cors === undefined || !name.startsWith('access-control-')) response.setHeader(name, value);
    }
    if (cors !== undefined) response.setHeaders(new Map(Object.entries(answerHeaders(cors, origin))));
    if (answer.cookies.length > 0) response.appendHeader('set-cookie', answer.cookies);
    response.writeHead(answer.statusCode).end(answer.body);
  }

  /** The answer to a request; undefined if the client left before its body was there. */
  async #answer(request: IncomingMessage): Promise<HttpAnswer | undefined> {
    const { apiId, stageName, clock, log } = this.#settings;
    const body = await readBody(request, MAXIMUM_HTTP_BODY_BYTES);
    if (body.kind === 'aborted') return undefined;
    if (this.#closing) return gatewayAnswer(503);
    const matched = this.#match(request);
    if (matched === undefined) return gatewayAnswer(404);
    const { route } = matched;
    if (!this.#throttle.admits(route.routeKey)) return gatewayAnswer(429);
    const { host, port } = this.#listening;
    const edge: HttpEdge = { apiId, stage: stageName, domainName: `${host}:${port}`, port, at: clock.now() };
    const facts = httpRequestFacts(request, matched, edge);
    const authorization = route.authorizer && this.#authorizations.get(route.authorizer);
    const verdict = await authorization?.decide(facts);
    if (verdict?.kind === 'refused') {
      log(`${route.routeKey}: refused with ${verdict.statusCode}: ${verdict.reason}`);
      return gatewayAnswer(verdict.statusCode);
    }
    if (body.kind === 'too-large') return gatewayAnswer(413);
    const event = httpApiEvent(facts, verdict && { lambda: verdict.context }, body.bytes);
    if (Buffer.byteLength(JSON.stringify(event)) > MAXIMUM_INVOCATION_BYTES) {
      log(`${route.routeKey}: the event exceeds the ${MAXIMUM_INVOCATION_BYTES} bytes that Lambda takes`);
      return gatewayAnswer(413);
    }
    const timeoutMs = route.integrationTimeoutMs ?? MAXIMUM_HTTP_INTEGRATION_TIMEOUT_MS;
    const outcome = await invokeWithin(route.function, event, timeoutMs, clock);
    if (outcome.kind !== 'returned') {
      log(`${route.routeKey}: ${describeFailure(route.function, outcome)}`);
      return gatewayAnswer(outcome.kind === 'timed-out' ? 503 : 500);
    }
    const answer = lambdaAnswer(outcome.payload);
    if (answer === undefined) log(`${route.routeKey}: ${route.function.name} returned a malformed response`);
    if (answer === undefined) return gatewayAnswer(500);
    return { ...answer, headers: { ...answer.headers, 'apigw-requestid': facts.requestContext.requestId } };
  }

  #match(request: IncomingMessage): MatchedRoute | undefined {
    const { stageName } = this.#settings;
    const { path } = splitUrl(request.url ?? '/');
    if (stageName === '$default') return this.#router.match(request.method ?? 'GET', path);
    const prefix = `/${stageName}`;
    if (path !== prefix && !path.startsWith(`${prefix}/`)) return undefined;
    return this.#router.match(request.method ?? 'GET', path.slice(prefix.length) || '/');
  }
}
