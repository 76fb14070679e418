import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach } from 'vitest';
import { FakeApi } from './fake-api.ts';
import { galleryJobs } from './gallery.ts';
import { launchBrowser } from './launch.ts';

/** A browser for the tests of a file; for each test an API that has the jobs of the gallery, and a page. */
export class OpenGallery {
  #browser: Browser | undefined;
  #test: { readonly api: FakeApi; readonly page: Page } | undefined;

  /**
   * Starts both before the tests of the file that calls it, and ends them after.
   * @param prepare what is to be done to each page before it is opened.
   */
  static forThisFile(prepare: (page: Page) => unknown = () => undefined): OpenGallery {
    const gallery = new OpenGallery();
    beforeAll(async () => {
      gallery.#browser = await launchBrowser();
    }, 60_000);
    afterAll(async () => {
      await gallery.#browser?.close();
    });
    beforeEach(async () => {
      const api = await FakeApi.start();
      for (const job of galleryJobs()) api.put(job);
      const page = await gallery.browser.newPage();
      await prepare(page);
      gallery.#test = { api, page };
    });
    afterEach(async () => {
      await gallery.page.context().close();
      await gallery.api[Symbol.asyncDispose]();
    });
    return gallery;
  }

  /** @throws TypeError where no test runs. */
  get browser(): Browser {
    if (this.#browser === undefined) throw new TypeError('only tests and hooks have a browser');
    return this.#browser;
  }

  /** @throws TypeError where no test runs. */
  get api(): FakeApi {
    return this.#current.api;
  }

  /** @throws TypeError where no test runs. */
  get page(): Page {
    return this.#current.page;
  }

  get #current() {
    if (this.#test === undefined) throw new TypeError('only tests and hooks have an API and a page');
    return this.#test;
  }

  /** Opens a view, and waits until it is live and lists its jobs. */
  async open(hash: string): Promise<void> {
    await this.page.goto(`${this.api.url}/${hash}`);
    await this.page.locator('[data-connection=live]').waitFor();
    await this.page.getByTestId('job-row').first().waitFor({ state: 'attached' });
  }
}
