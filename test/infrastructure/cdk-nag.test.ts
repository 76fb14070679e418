import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Validations } from 'aws-cdk-lib';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { createStack } from './synthesized-stack.ts';
import { COMBINATIONS, contextOf } from './variants.ts';

/** What AwsSolutions finds, a rule and a construct a line. */
function findingsOf({ app, dispose }: ReturnType<typeof createStack>): string[] {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app));
  vi.spyOn(console, 'error').mockReturnValue(); // where the CDK prints the report
  try {
    app.synth();
    return [];
  } catch (error) {
    if (!(error instanceof Error && error.name === 'ValidationFailed')) throw error;
    const report: unknown = JSON.parse(readFileSync(join(app.outdir, 'validation-report.json'), 'utf8'));
    const { pluginReports } = report as Report; // the CDK's own format
    return pluginReports.flatMap(({ violations }) =>
      violations.flatMap(({ ruleName, violatingConstructs }) =>
        violatingConstructs.map(({ constructPath }) => `${ruleName} ${constructPath}`),
      ),
    );
  } finally {
    dispose();
  }
}

interface Report {
  readonly pluginReports: readonly {
    readonly violations: readonly {
      readonly ruleName: string;
      readonly violatingConstructs: readonly { readonly constructPath: string }[];
    }[];
  }[];
}

afterEach(() => vi.restoreAllMocks());

describe('cdk-nag', () => {
  it.each([...COMBINATIONS.map(contextOf), { alarmEmail: 'on@call.example', data: 'destroy', origins: '*' }])(
    'finds nothing with %j',
    (context) => {
      expect(findingsOf(createStack(context))).toEqual([]);
    },
  );

  it('would find a bucket that has not been thought about', () => {
    const created = createStack();
    new Bucket(created.stack, 'Thoughtless');
    expect(findingsOf(created)).toContain('AwsSolutions-S10 Jobwire/Thoughtless/Resource');
  });
});
