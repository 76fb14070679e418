import type { BrowserContext, Page } from 'playwright-core';
import { expect } from 'vitest';
import type { Job } from '../../protocol/job.ts';
import { terminalJob } from '../flow/http-calls.ts';

/** Runs in the page: notes every `seq` and every state of the connection that it ever shows. */
const WITNESS = `(() => {
  const witness = { seqs: [], connections: [] };
  window.witness = witness;
  const note = (list, value) => {
    if (value !== null && value !== undefined && list.at(-1) !== value) list.push(value);
  };
  const look = () => {
    note(witness.seqs, document.querySelector('[data-testid=job]')?.getAttribute('data-seq'));
    note(witness.connections, document.querySelector('[data-testid=connection]')?.getAttribute('data-connection'));
  };
  new MutationObserver(look).observe(document, {
    subtree: true, childList: true, attributes: true, attributeFilter: ['data-seq', 'data-connection'],
  });
})()`;

/** What a page has shown, in order. */
export interface Witness {
  readonly seqs: readonly string[];
  readonly connections: readonly string[];
}

/** A page of the dashboard that notes whatever it shows. */
export class WitnessedPage {
  readonly page: Page;
  readonly #faults: string[] = [];

  private constructor(page: Page) {
    this.page = page;
    page.on('pageerror', (error) => this.#faults.push(String(error)));
    page.on('dialog', (dialog) => {
      this.#faults.push(dialog.message());
      void dialog.dismiss();
    });
  }

  /** Opens a tab at an address of the dashboard. */
  static async open(context: BrowserContext, url: string): Promise<WitnessedPage> {
    const witnessed = new WitnessedPage(await context.newPage());
    await witnessed.page.addInitScript(WITNESS);
    await witnessed.page.goto(url);
    return witnessed;
  }

  /** Waits until the light says so. */
  async isConnected(status: string, timeout = 30_000): Promise<void> {
    await this.page.locator(`[data-testid=connection][data-connection=${status}]`).waitFor({ timeout });
  }

  /** Waits until the job of the page stands at this `seq`. */
  async shows({ id, seq }: Pick<Job, 'id' | 'seq'>, timeout = 30_000): Promise<void> {
    await this.page.locator(`[data-testid=job][data-job=${id}][data-seq="${seq}"]`).waitFor({ timeout });
  }

  /** What the page has shown so far. */
  async witness(): Promise<Witness> {
    return (await this.page.evaluate('witness')) as Witness; // the script above has made it
  }

  /** The promise of every test: the page shows the terminal state that the database has, and only ever went on. */
  async isTrue(api: string, id: string): Promise<Witness> {
    const finished = await terminalJob(api, id);
    await this.shows(finished);
    const article = this.page.getByTestId('job');
    expect(await article.getAttribute('data-status')).toBe(finished.status);
    const witness = await this.witness();
    const seqs = witness.seqs.map(Number);
    expect(seqs.length).toBeGreaterThan(0);
    expect(seqs).toEqual([...new Set(seqs)].sort((one, other) => one - other));
    expect(seqs.at(-1)).toBe(finished.seq);
    expect(this.#faults).toEqual([]);
    return witness;
  }
}
