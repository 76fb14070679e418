import type { buildConnector, Dispatcher } from 'undici';
import Client from 'undici/lib/dispatcher/client.js';
import type { SignedPost } from './post-signature.ts';

/**
 * A post is answered in some ten milliseconds; one viewer whose post hangs must not hold up the others. So long all of
 * it may take, a second attempt included; a socket that opens meanwhile has its second (post-sockets.ts) beyond it.
 */
const ANSWER_MILLISECONDS = 3_000;

/** Longer than a socket lives (post-sockets.ts). A server that closes sooner says so in `Keep-Alive`, and is heeded. */
const IDLE_MILLISECONDS = 60_000;

/** An error of API Gateway is one sentence. What is longer comes from something in between, and is cut. */
const LONGEST_REFUSAL = 4_096;

/** The codes by which Node and undici say that a socket broke, though nothing was wrong with the request. */
const BROKEN_SOCKET: ReadonlySet<unknown> = new Set([
  'UND_ERR_SOCKET',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED',
]);

/** One socket to API Gateway, with one request at a time on it. Opens itself when it is used. */
export class PostSocket {
  readonly #client: Client;
  #openedAt: number | undefined;
  #answers = 0;

  constructor(origin: string, connector: buildConnector.connector) {
    this.#client = new Client(origin, {
      connect: connector,
      headersTimeout: 0, // none: the deadline is for the whole post
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MILLISECONDS,
      keepAliveMaxTimeout: IDLE_MILLISECONDS,
    });
    this.#client.on('connect', () => {
      this.#openedAt = Date.now();
      this.#answers = 0;
    });
    this.#client.on('disconnect', () => {
      this.#openedAt = undefined;
    });
  }

  /** Whether the socket was opened before this time, in milliseconds since the epoch. */
  openedBefore(time: number): boolean {
    return this.#openedAt !== undefined && this.#openedAt < time;
  }

  /**
   * Posts once; and once more where the socket had answered before and broke now: then it died while the function
   * was frozen or idle, and undici opens another. Posted twice is harmless: frames are ordered by `seq`.
   * Rejects with PostRefusal, or with the error of undici or Node.
   */
  async post(request: SignedPost, body: Uint8Array): Promise<void> {
    const answersBefore = this.#answers;
    const deadline = new Deadline();
    try {
      try {
        await this.#dispatch(request, body, deadline);
      } catch (error) {
        if (answersBefore === 0 || !isBrokenSocket(error)) throw error;
        await this.#dispatch(request, body, deadline);
      }
    } finally {
      deadline.clear();
    }
    this.#answers += 1;
  }

  /** Closes the socket, which must have no request on it. */
  close(): void {
    this.#client.destroy(() => {}); // nothing is on it that could fail
  }

  #dispatch(request: SignedPost, body: Uint8Array, deadline: Deadline): Promise<void> {
    return new Promise((resolve, reject) => {
      const { path, headers } = request;
      this.#client.dispatch(
        { path, method: 'POST', headers, body },
        new PostAnswer(deadline, resolve, reject),
      );
    });
  }
}

/** API Gateway answered, but did not take the post. Has the shape of the SDK's errors, so both translate alike. */
export class PostRefusal extends Error {
  override readonly name: string;
  readonly $metadata: { readonly httpStatusCode: number };

  /** `type` is the value of `x-amzn-errortype`, which may have a URL behind a colon; `body` the answer's. */
  constructor(status: number, type: string | undefined, body: string) {
    super(messageOf(body));
    this.name = type?.split(':', 1)[0] ?? `Status${status}`;
    this.$metadata = { httpStatusCode: status };
  }
}

/** A post was not answered in time. Has the name that the SDK gives such an error. */
export class PostTimeoutError extends Error {
  override readonly name = 'TimeoutError';
  constructor() {
    super(`The post was not answered within ${ANSWER_MILLISECONDS} ms`);
  }
}

/** Ends what is left of a post when its time is over. */
class Deadline {
  #request: Dispatcher.DispatchController | undefined;
  #isOver = false;
  readonly #timer = setTimeout(() => {
    this.#isOver = true;
    this.#request?.abort(new PostTimeoutError());
  }, ANSWER_MILLISECONDS);

  /** The request that is to be ended; at once, where the time is over before it began. */
  holds(request: Dispatcher.DispatchController): void {
    this.#request = request;
    if (this.#isOver) request.abort(new PostTimeoutError());
  }

  clear(): void {
    clearTimeout(this.#timer);
  }
}

/** Waits for the answer to one post. */
class PostAnswer implements Dispatcher.DispatchHandler {
  readonly #deadline: Deadline;
  readonly #resolve: () => void;
  readonly #reject: (error: Error) => void;
  #status = 0;
  #type: string | undefined;
  #body = '';

  constructor(deadline: Deadline, resolve: () => void, reject: (error: Error) => void) {
    this.#deadline = deadline;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#deadline.holds(controller);
  }

  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: Readonly<Record<string, string | string[] | undefined>>,
  ): void {
    this.#status = status;
    if (!this.#isTaken()) this.#type = headers['x-amzn-errortype']?.toString();
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (!this.#isTaken() && this.#body.length < LONGEST_REFUSAL)
      this.#body += chunk.toString('utf8', 0, LONGEST_REFUSAL);
  }

  onResponseEnd(): void {
    if (this.#isTaken()) this.#resolve();
    else this.#reject(new PostRefusal(this.#status, this.#type, this.#body));
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#reject(error);
  }

  #isTaken(): boolean {
    return this.#status >= 200 && this.#status < 300;
  }
}

function isBrokenSocket(error: unknown): boolean {
  return error instanceof Error && 'code' in error && BROKEN_SOCKET.has(error.code);
}

/** The sentence in `{"message": …}`, as API Gateway answers; the body itself where it is something else. */
function messageOf(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null) {
      if ('message' in parsed) return String(parsed.message);
      if ('Message' in parsed) return String(parsed.Message);
    }
  } catch {
    // Not JSON: a 410 is empty, and what stands before API Gateway may answer in HTML.
  }
  return body;
}
