import { Window } from 'happy-dom';
import type { ReactNode } from 'react';
import type { Root } from 'react-dom/client';
import { expect, vi } from 'vitest';

/**
 * Gives React the document that it looks for. WebSocket and fetch stay those of Node: what is tested is React
 * and the client, and happy-dom's own sockets are neither.
 */
const window = new Window({ url: 'http://127.0.0.1/' });
Object.assign(globalThis, { window, document: window.document });

// React looks at the document when it is loaded.
const { createRoot, hydrateRoot } = await import('react-dom/client');

/** A page with one React root, for the length of a test. React renders when it wants to, as in a browser. */
export class Page implements AsyncDisposable {
  readonly #container = window.document.createElement('div');
  #root: Root | undefined;
  /** What React complained of: an error of a component, or a page that is not what the server has sent. */
  readonly faults: unknown[] = [];
  readonly #handlers = {
    onUncaughtError: (error: unknown) => this.faults.push(error),
    onRecoverableError: (error: unknown) => this.faults.push(error),
  };

  /** Renders, or renders anew. */
  render(content: ReactNode): void {
    this.#root ??= createRoot(this.#element, this.#handlers);
    this.#root.render(content);
  }

  /** Takes over what a server has rendered. */
  hydrate(html: string, content: ReactNode): void {
    this.#container.innerHTML = html;
    this.#root = hydrateRoot(this.#element, content, this.#handlers);
  }

  /** What a person reads. */
  get text(): string {
    return this.#container.textContent ?? '';
  }

  /** Waits until a person reads this. */
  async shows(text: string): Promise<void> {
    await vi.waitFor(() => expect(this.text).toBe(text), { interval: 5, timeout: 5_000 });
  }

  /** Takes everything away. */
  unmount(): void {
    this.#root?.unmount();
    this.#root = undefined;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.unmount();
  }

  /** happy-dom's elements do what React asks of the browser's, whose types this project has only for the page. */
  get #element(): Element {
    return this.#container as unknown as Element;
  }
}
