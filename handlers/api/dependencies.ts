import type { Context } from 'hono';
import type { Executions, Jobs, Log, Now, Queue, Results, Subscriptions, Tokens, Uploads } from '../ports.ts';
import type { Deadline } from '../queue-messages.ts';

/** What the HTTP API needs of the world. */
export interface ApiDependencies {
  readonly jobs: Pick<Jobs, 'create' | 'read' | 'change' | 'list'>;
  readonly subscriptions: Pick<Subscriptions, 'subscribers' | 'confirmedHeads'>;
  readonly uploads: Pick<Uploads, 'begin' | 'grant' | 'inspect' | 'parts' | 'complete' | 'abort'>;
  readonly results: Pick<Results, 'link'>;
  readonly tokens: Pick<Tokens, 'issueJobToken' | 'verifyJobToken' | 'issueTicket'>;
  readonly deadlines: Queue<Deadline>;
  /** Present where a workflow works on jobs. */
  readonly executions?: Executions;
  /** `open` makes every caller `anonymous`; with `authorizer` the API's authorizer must name one. */
  readonly auth: 'open' | 'authorizer';
  /** Where clients connect to watch: `wss://…`. */
  readonly socketUrl: string;
  /** Where the states of single jobs are broadcast, and by which authorizer; absent where they are not. */
  readonly broadcast?: { readonly url: string; readonly authorizer: string };
  readonly now: Now;
  /** Resolves after so many milliseconds; tests move a clock instead. */
  readonly pause: (milliseconds: number) => Promise<unknown>;
  readonly log: Log;
}

/** What `hono/aws-lambda` hands through of an invocation; both absent where a test asks the app directly. */
export interface ApiBindings {
  /** `requestContext` of the event, payload format 2.0; read only through `authorizedSubject`. */
  readonly requestContext?: unknown;
  readonly lambdaContext?: { getRemainingTimeInMillis(): number };
}

/** One request, as every call receives it. */
export type ApiContext = Context<{ Bindings: ApiBindings }>;

/** Answers one call of the HTTP table. @throws ProblemError for what the caller did wrong; HandlerError. */
export type Answer = (context: ApiContext, dependencies: ApiDependencies) => Promise<Response>;
