import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { BASE_MS, MAXIMUM_MS } from '../../client/back-off.ts';
import { createJobwireClient } from '../../client/client.ts';
import * as errors from '../../client/errors.ts';
import { DEFAULT_TIMINGS } from '../../client/timings.ts';
import * as uploadErrors from '../../client/upload-errors.ts';

const PAGE = readFileSync(new URL('../../docs/client.md', import.meta.url), 'utf8');

function source(file: string): string {
  return readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
}

/** The names at the beginning of the rows of the tables below a heading. */
function rowsOf(heading: string): string[] {
  const [, after = ''] = PAGE.split(`\n## ${heading}\n`);
  const [text = ''] = after.split('\n## ');
  return Array.from(text.matchAll(/^\| (`[^|]+) \|/gm), ([, cell = '']) => cell).flatMap((cell) =>
    Array.from(cell.matchAll(/`(\w+)/g), ([, name = '']) => name),
  );
}

/** The members of an interface, as its source spells them. */
function membersOf(file: string, name: string): string[] {
  const [, body = ''] =
    new RegExp(`interface ${name}\\b[^{]*\\{\\n(.*?)\\n\\}`, 's').exec(source(file)) ?? [];
  return Array.from(body.matchAll(/^ {2}(?:readonly )?(\w+)\??[:(]/gm), ([, member = '']) => member);
}

describe('docs/client.md', () => {
  it('has every option of the client', () => {
    const options = [
      ...membersOf('client/watch-client.ts', 'WatchClientOptions'),
      ...membersOf('client/platform.ts', 'Platform'),
    ];
    expect(options.length).toBeGreaterThan(8);
    expect(rowsOf("The client's options")).toEqual(expect.arrayContaining(options));
  });

  it('has every timing, with its default', () => {
    for (const [name, value] of Object.entries(DEFAULT_TIMINGS)) {
      expect(PAGE).toContain(`| \`${name}\` | ${value} |`);
    }
    expect([BASE_MS, MAXIMUM_MS]).toEqual([500, 30_000]); // "half a second … up to 30"
  });

  it('has every option of a watch and of an upload', () => {
    const watching = membersOf('client/watch-client.ts', 'WatchJobOptions');
    expect(watching.length).toBeGreaterThan(2);
    expect(rowsOf('Watching')).toEqual(expect.arrayContaining(watching));
    const uploading = membersOf('client/upload-job.ts', 'UploadJobOptions');
    expect(uploading.length).toBeGreaterThan(5);
    expect(rowsOf('Uploading')).toEqual(
      expect.arrayContaining([...uploading, ...membersOf('client/upload-job.ts', 'JobUpload')]),
    );
  });

  it('has every hook, and every member and option of each', () => {
    for (const file of readdirSync(new URL('../../react/', import.meta.url))) {
      const hooks = Array.from(
        source(`react/${file}`).matchAll(/^export function (use\w+)/gm),
        ([, hook]) => hook,
      );
      for (const hook of hooks) expect(PAGE, hook).toMatch(new RegExp(`^\`${hook}\\(`, 'm'));
    }
    const members = [
      ...membersOf('react/use-job.ts', 'UseJobOptions'),
      ...membersOf('react/use-upload.ts', 'UsedUpload'),
      ...membersOf('react/upload-store.ts', 'UploadSnapshot'),
    ];
    expect(members.length).toBeGreaterThan(7);
    expect(rowsOf('React')).toEqual(expect.arrayContaining(members));
    const statuses = Array.from(
      source('react/upload-store.ts').matchAll(/^ {3}\* - `(\w+)`:/gm),
      ([, status]) => status ?? '',
    );
    expect(statuses).toHaveLength(5);
    for (const status of statuses)
      expect(PAGE).toMatch(new RegExp(`^\\| \`status\` \\|.*\`${status}\``, 'm'));
  });

  it('has every state of a connection', () => {
    const statuses = Array.from(
      source('client/state.ts').matchAll(/readonly status: '(\w+)'/g),
      ([, status]) => status,
    );
    expect(statuses.length).toBe(6);
    expect(rowsOf('States')).toEqual(expect.arrayContaining(statuses));
  });

  it('has every call and every error', () => {
    const calls = Object.keys(createJobwireClient({ api: 'http://127.0.0.1:1' }));
    for (const call of calls) expect(PAGE, call).toMatch(new RegExp(`\`(client\\.)?${call}\\(|\`${call}\``));
    const classes = Object.keys({ ...errors, ...uploadErrors }).filter((name) =>
      /^[A-Z]\w+Error$/.test(name),
    );
    expect(classes.length).toBeGreaterThan(8);
    expect(rowsOf('Errors')).toEqual(expect.arrayContaining(classes));
  });
});
