import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App } from 'aws-cdk-lib';
import { BundleError, bundleFunctions, bundlePage } from './bundles.ts';
import { entriesOf } from './entries.ts';
import { JobwireStack } from './jobwire-stack.ts';
import { ConfigurationError, readSettings } from './settings.ts';

/** The CDK app: `npx cdk synth -c auth=open` and `npm start` run this file. */
function synthesize(): void {
  const app = new App({ autoSynth: false }); // nothing is to be synthesized when a setting is wrong
  const settings = readSettings(app.node);
  const directory = mkdtempSync(join(tmpdir(), 'jobwire-')); // the CDK copies what it takes from here
  try {
    new JobwireStack(app, 'Jobwire', {
      settings,
      functions: bundleFunctions(directory, entriesOf(settings)),
      page: bundlePage(join(directory, 'page')),
    });
    app.synth();
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

try {
  synthesize();
} catch (error) {
  if (!(error instanceof ConfigurationError || error instanceof BundleError)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}
