import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { EXIT } from '../../command-line/exit-codes.ts';
import { runCommand } from './run-command.ts';

/** What docs/client.md says of the command, which must be all that the command offers, and nothing that it does not. */
const page = await readFile(new URL('../../docs/client.md', import.meta.url), 'utf8');
const [, text = ''] = page.split('\n## Command line\n');
const [section = ''] = text.split('\n## ');

const documented = new Map(
  Array.from(section.matchAll(/^\| `jobwire (\w+)[^`]*` \| (.*) \|$/gm), ([, name = '', says = '']) => [
    name,
    says,
  ]),
);

function optionsOf(words: string): string[] {
  return [...new Set(Array.from(words.matchAll(/--[a-z][a-z-]+/g), ([option]) => option))].toSorted();
}

async function helpOf(...command: readonly string[]): Promise<string> {
  const { stdout, exitCode } = await runCommand([...command, '--help']);
  expect(exitCode).toBe(0);
  return stdout;
}

/** The first word of each row of a part of the help. */
function rowsOf(help: string, heading: string): string[] {
  const [, after = ''] = help.split(`${heading}:\n`);
  const [rows = ''] = after.split('\n\n');
  return Array.from(rows.matchAll(/^ {2}(?:-\w, )?(\S+)/gm), ([, word = '']) => word);
}

it('docs/client.md has every command', async () => {
  const commands = rowsOf(await helpOf(), 'Commands').filter((name) => name !== 'help');
  expect(commands.length).toBe(5);
  expect([...documented.keys()].toSorted()).toEqual(commands.toSorted());
});

it.each([...documented])('docs/client.md has every option of jobwire %s', async (name, says) => {
  const offered = rowsOf(await helpOf(name), 'Options').filter((option) => option !== '--help');
  const ofAll = offered.filter((option) => option === '--api' || option === '--stack');
  for (const option of ofAll) expect(section).toContain(`\`${option} `);
  // A row may say what `--json` has to do with another command.
  const own = name === 'replay' ? optionsOf(says).filter((option) => option !== '--json') : optionsOf(says);
  expect([...own, ...ofAll].toSorted()).toEqual(offered.toSorted());
});

it('docs/client.md has every exit code, and --help all but that of a fault of ours', async () => {
  const codes = Array.from(section.matchAll(/^\| (\d+) \| \w/gm), ([, code]) => Number(code));
  expect(codes).toEqual(Object.values(EXIT));
  const help = await helpOf('watch');
  const [, listed = ''] = help.split('\nExit codes:');
  const { fault: _fault, ...told } = EXIT;
  expect(Array.from(listed.matchAll(/\d+/g), Number)).toEqual(Object.values(told));
});
