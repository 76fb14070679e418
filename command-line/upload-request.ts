import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { pipeline } from 'node:stream/promises';
import type { RequestLike } from '../client/platform.ts';

type Ending = 'load' | 'error' | 'abort' | 'timeout';

/** An answer of a storage is a short piece of XML; what is longer is cut, in characters. */
const MAXIMUM_ANSWER = 65_536;

/**
 * The part of XMLHttpRequest that the client uses, on Node's own HTTP: unlike `fetch` it tells how many bytes are
 * on their way, and a file goes through it piece by piece. Never reused: one request each.
 */
export class UploadRequest implements RequestLike {
  status = 0;
  responseText = '';
  readonly #endings = new Map<Ending, (() => void)[]>();
  readonly #progress: ((event: { readonly loaded: number }) => void)[] = [];
  readonly #headers: Record<string, string> = {};
  readonly upload = {
    addEventListener: (_type: 'progress', listener: (event: { readonly loaded: number }) => void) => {
      this.#progress.push(listener);
    },
  };
  #method = 'GET';
  #url = '';
  #request: ClientRequest | undefined;
  #answer: IncomingMessage | undefined;
  #over = false;

  open(method: string, url: string): void {
    this.#method = method;
    this.#url = url;
  }

  setRequestHeader(name: string, value: string): void {
    this.#headers[name] = value;
  }

  /** A header of the answer; null before there is one, and where it has none. */
  getResponseHeader(name: string): string | null {
    const value = this.#answer?.headers[name.toLowerCase()];
    return value === undefined ? null : String(value);
  }

  addEventListener(type: Ending, listener: () => void): void {
    this.#endings.set(type, [...(this.#endings.get(type) ?? []), listener]);
  }

  send(body: Blob | FormData): void {
    void this.#send(body);
  }

  abort(): void {
    this.#end('abort');
    this.#request?.destroy();
  }

  async #send(body: Blob | FormData): Promise<void> {
    try {
      // A form has no length before it is written out; no upload of the command is one.
      const content = body instanceof Blob ? body : await new Response(body).blob();
      const begin = this.#url.startsWith('https:') ? httpsRequest : httpRequest;
      const request = begin(this.#url, {
        method: this.#method,
        headers: {
          ...(content.type === '' ? {} : { 'content-type': content.type }),
          ...this.#headers,
          'content-length': content.size,
        },
      });
      this.#request = request;
      if (this.#over) request.destroy();
      request.on('response', (answer) => this.#read(answer));
      request.on('error', () => {
        if (this.#answer === undefined) this.#end('error');
      });
      await pipeline(content.stream(), (pieces) => this.#counted(pieces), request);
    } catch {
      // The file vanished or the connection broke; a refusal half-way has an answer, which says more.
      if (this.#answer !== undefined) return;
      this.#end('error');
      this.#request?.destroy();
    }
  }

  /** Tells of each piece when the connection asks for it: what went before is on its way. */
  async *#counted(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    let loaded = 0;
    for await (const piece of pieces) {
      yield piece;
      loaded += piece.byteLength;
      for (const listener of this.#progress) listener({ loaded });
    }
  }

  #read(answer: IncomingMessage): void {
    this.#answer = answer;
    this.status = answer.statusCode ?? 0;
    answer.setEncoding('utf8');
    answer.on('data', (text: string) => {
      if (this.responseText.length < MAXIMUM_ANSWER) this.responseText += text;
    });
    answer.on('error', () => this.#end('error'));
    answer.on('end', () => {
      this.#end('load');
      if (!this.#request?.writableFinished) this.#request?.destroy(); // it does not want the rest
    });
  }

  #end(ending: Ending): void {
    if (this.#over) return;
    this.#over = true;
    for (const listener of this.#endings.get(ending) ?? []) listener();
  }
}
