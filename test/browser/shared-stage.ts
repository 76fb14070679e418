import type { Browser, BrowserContext } from 'playwright-core';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import { type RunningJobwire, startJobwire } from '../flow/running-jobwire.ts';
import { DrivenJob } from './driven-job.ts';
import { launchBrowser } from './launch.ts';
import { NetworkPath } from './network-path.ts';

/** One runtime and one browser for the tests of a file. */
export class SharedStage {
  #started: { readonly jobwire: RunningJobwire; readonly browser: Browser } | undefined;

  /** Starts both before the tests of the file that calls it, and ends them after. */
  static forThisFile(): SharedStage {
    const stage = new SharedStage();
    beforeAll(async () => {
      const [jobwire, browser] = await Promise.all([startJobwire(), launchBrowser()]);
      stage.#started = { jobwire, browser };
    });
    afterAll(async () => {
      await Promise.all([stage.#started?.jobwire.close(), stage.#started?.browser.close()]);
    });
    return stage;
  }

  /** @throws TypeError where no test runs yet. */
  get jobwire(): RunningJobwire {
    return this.#both.jobwire;
  }

  /** @throws TypeError where no test runs yet. */
  get browser(): Browser {
    return this.#both.browser;
  }

  get #both() {
    if (this.#started === undefined) throw new TypeError('only tests and hooks have a runtime and a browser');
    return this.#started;
  }

  /** A browser of its own, behind a network of its own. */
  async behindNetwork(run: (context: BrowserContext, network: NetworkPath) => Promise<void>): Promise<void> {
    const network = await NetworkPath.start();
    const context = await this.browser.newContext({ proxy: network.proxy });
    try {
      await run(context, network);
    } finally {
      await context.close();
      await network[Symbol.asyncDispose]();
    }
  }

  /** A job that the test drives, until it is over. */
  async startJob(input: Parameters<typeof DrivenJob.start>[2] = {}): Promise<DrivenJob> {
    const job = await DrivenJob.start(this.jobwire.api, this.jobwire.runtime.administration, input);
    onTestFinished(() => job[Symbol.dispose]());
    return job;
  }

  /** The address of a job's page. */
  pageOf(id: string): string {
    return `${this.jobwire.dashboard}/#/jobs/${id}`;
  }
}
