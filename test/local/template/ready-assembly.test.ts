import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { copyReadyAssembly } from '../../../local/template/ready-assembly.ts';

let folder: string;
let made: string[];
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'jobwire-ready-'));
  made = [];
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

/** Takes the assembly of a context, for a broker at that port, and answers its page. */
async function pageOf(context: Readonly<Record<string, string>>, broker: number): Promise<string> {
  const target = path.join(folder, `state-${broker}`);
  const assemblies = path.join(folder, 'assemblies');
  const make = async (into: string, port: number) => {
    made.push(JSON.stringify(context));
    await mkdir(path.join(into, 'asset.page'), { recursive: true });
    const text = `${JSON.stringify(context)} ws://127.0.0.1:${port}/mqtt`;
    await writeFile(path.join(into, 'asset.page', 'index.html'), text);
  };
  await copyReadyAssembly({ assemblies, context, broker, make }, target);
  return await readFile(path.join(target, 'asset.page', 'index.html'), 'utf8');
}

it('is made once for each context, and names the broker of each start', async () => {
  expect(await pageOf({ a: '1', b: '2' }, 7001)).toBe('{"a":"1","b":"2"} ws://127.0.0.1:7001/mqtt');
  expect(await pageOf({ b: '2', a: '1' }, 7002)).toBe('{"a":"1","b":"2"} ws://127.0.0.1:7002/mqtt');
  expect(await pageOf({ a: '2', b: '1' }, 7003)).toBe('{"a":"2","b":"1"} ws://127.0.0.1:7003/mqtt');
  expect(made).toEqual(['{"a":"1","b":"2"}', '{"a":"2","b":"1"}']);
});

it('is whole for everybody, also where two make it at the same moment', async () => {
  const pages = await Promise.all([pageOf({ a: '1' }, 7001), pageOf({ a: '1' }, 7002)]);
  expect(pages).toEqual(['{"a":"1"} ws://127.0.0.1:7001/mqtt', '{"a":"1"} ws://127.0.0.1:7002/mqtt']);
  expect(await readdir(path.join(folder, 'assemblies'))).toHaveLength(1);
});

it('leaves nothing where it cannot be made', async () => {
  const assemblies = path.join(folder, 'assemblies');
  const make = async (into: string) => {
    await mkdir(into, { recursive: true });
    throw new Error('it does not compile');
  };
  const settings = { assemblies, context: {}, broker: 7001, make };
  await expect(copyReadyAssembly(settings, path.join(folder, 'state'))).rejects.toThrow(
    'it does not compile',
  );
  expect(await readdir(assemblies)).toEqual([]);
});
