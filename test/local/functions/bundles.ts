import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { onTestFinished } from 'vitest';
import type { InvocationReport } from '../../../local/functions/invocation-report.ts';
import { LambdaFunction } from '../../../local/functions/lambda-function.ts';
import type { LambdaFunctionSettings } from '../../../local/functions/settings.ts';

/** A deployed bundle: a directory with one file; gone after the test. */
export function writeBundle(code: string, fileName = 'index.mjs'): string {
  const directory = mkdtempSync(path.join(tmpdir(), 'jobwire-bundle-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(path.join(directory, fileName), code);
  return directory;
}

/** A function with what it said; closed after the test. */
export interface DeployedFunction {
  readonly deployed: LambdaFunction;
  readonly lines: string[];
  readonly reports: InvocationReport[];
}

/** Deploys `code` as `index.mjs`. */
export function deploy(code: string, settings: Partial<LambdaFunctionSettings> = {}): DeployedFunction {
  const lines: string[] = [];
  const reports: InvocationReport[] = [];
  const deployed = new LambdaFunction({
    name: 'process',
    arn: 'arn:aws:lambda:us-east-1:000000000000:function:process',
    bundle: settings.bundle ?? writeBundle(code),
    handler: 'index.handler',
    environment: {},
    timeoutMs: 5_000,
    memoryMb: 256,
    log: (line) => lines.push(line),
    onReport: (report) => reports.push(report),
    ...settings,
  });
  onTestFinished(() => deployed.close(0));
  return { deployed, lines, reports };
}
