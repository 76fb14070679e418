import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const CDK = createRequire(import.meta.url).resolve('aws-cdk/bin/cdk');

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'jobwire-cdk-'));
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/**
 * Runs the command line that `npx cdk` runs, with the PATH that npx gives it, no credentials, and every
 * request sent to a port where nobody listens.
 */
async function cdk(...words: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const nowhere = 'http://127.0.0.1:9';
  const child = spawn(process.execPath, [CDK, ...words, '--output', join(directory, 'out')], {
    cwd: ROOT,
    env: {
      PATH: [join(ROOT, 'node_modules', '.bin'), process.env['PATH']].join(delimiter),
      HOME: directory, // no ~/.aws, no ~/.cdk.json
      USERPROFILE: directory,
      HTTP_PROXY: nowhere,
      HTTPS_PROXY: nowhere,
      AWS_EC2_METADATA_DISABLED: 'true',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const [stdout, stderr, code] = await Promise.all([
    textOf(child.stdout),
    textOf(child.stderr),
    new Promise<number | null>((resolve, reject) => child.once('close', resolve).once('error', reject)),
  ]);
  return { code, stdout, stderr };
}

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

describe('cdk synth', () => {
  it('prints the template and nothing else, without credentials and network', async () => {
    const { code, stdout, stderr } = await cdk('synth', '--json', '-c', 'auth=open');
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const { Rules, ...written } = JSON.parse(
      readFileSync(join(directory, 'out', 'Jobwire.template.json'), 'utf8'),
    );
    expect(JSON.parse(stdout)).toEqual(written);
    expect(Object.keys(Rules)).toEqual(['CheckBootstrapVersion']); // the command line never prints this one
  });

  it('asks who may call, in one sentence', async () => {
    const { code, stdout, stderr } = await cdk('synth');
    expect(code).not.toBe(0);
    expect(stdout).toBe('');
    const [sentence, cdkSays, ...more] = stderr.trimEnd().split('\n');
    expect(sentence).toMatch(/^The setting "auth" is not set: say "-c auth=open" if .*"anonymous".*\.$/);
    expect(cdkSays).toBe('node infrastructure/app.ts: Subprocess exited with error 1'); // the command line's own words
    expect(more).toEqual([]);
  });
});
