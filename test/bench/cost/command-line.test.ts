import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { billOf } from '../../../bench/cost/bill.ts';
import { readCommandLine } from '../../../bench/cost/command-line.ts';
import { LOAD_OPTIONS, type Load, loadOf } from '../../../bench/cost/load.ts';
import { renderBill, sumsOf } from '../../../bench/cost/print.ts';
import { DEFAULT_WAYS } from '../../../bench/cost/ways.ts';
import { DEFAULT_TIMINGS } from '../../../client/timings.ts';

describe('npm run cost --', () => {
  it('reads what is said, and takes the rest from the defaults', () => {
    const asked = readCommandLine(['--jobs-per-day', '100000', '--watchers=3', '--updates', '20', '--json']);
    expect(asked).toEqual({
      kind: 'bill',
      json: true,
      ways: DEFAULT_WAYS,
      load: loadOf({ jobsPerDay: 100_000, watchers: 3, updates: 20 }),
    });
  });

  it('reads which ways are deployed', () => {
    expect(readCommandLine(['--processing', 'step-functions-efs', '--broadcast=iot-core'])).toMatchObject({
      ways: { processing: 'step-functions-efs', broadcast: 'iot-core' },
    });
  });

  it('counts pings as often as the client sends them', () => {
    expect(loadOf({}).pingSeconds * 1_000).toBe(DEFAULT_TIMINGS.pingMs);
  });

  it('posts to large audiences as fast as is deployed', () => {
    const settings = readFileSync(new URL('../../../infrastructure/settings.ts', import.meta.url), 'utf8');
    expect(settings).toMatch(
      new RegExp(`readPostsPerSecond\\(value[^}]*undefined\\) return ${loadOf({}).postsPerSecond};`),
    );
  });

  it('lets watchers stay as long as their job takes, unless told', () => {
    expect(loadOf({ uploadSeconds: 30, jobSeconds: 90 }).watchMinutes).toBe(2);
    expect(loadOf({ watchMinutes: 480 }).watchMinutes).toBe(480);
  });

  it.each([
    [['--watchers', 'many'], /--watchers must be a number from 0/],
    [['--watchers', ''], /--watchers must be a number/],
    [['--jobs-per-day', '-1'], /jobs-per-day/],
    [['--jobs-per-day=-1'], /--jobs-per-day must be a number from 0/],
    [['--tags', '1.5'], /--tags must be a whole number from 0 to 10/],
    [['--job-seconds', '1', '--updates', '11'], /at most 10 reports, ten a second/],
    [['--processing', 'efs'], /--processing must be lambda or step-functions or step-functions-efs, not efs/],
    [['--broadcast', 'mqtt'], /--broadcast must be none or iot-core, not mqtt/],
    [['--job-seconds', '891'], /at most 890 with --processing lambda/],
    [['--region', 'eu-central-1'], /prices of us-east-1 only/],
    [['--wachters', '3'], /Unknown option '--wachters'/],
    [['3'], /3/],
    [['scale', '--rite'], /scale takes --write and nothing else/],
  ])('refuses %j with a sentence', (args, problem) => {
    const asked = readCommandLine(args);
    expect(asked.kind === 'refused' ? asked.problem : asked.kind).toMatch(problem);
  });

  it('prints or writes the tables of docs/scale.md', () => {
    expect(readCommandLine(['scale'])).toEqual({ kind: 'scale', write: false });
    expect(readCommandLine(['scale', '--write'])).toEqual({ kind: 'scale', write: true });
  });

  it('explains every option', () => {
    const asked = readCommandLine(['--help']);
    const text = asked.kind === 'help' ? asked.text : '';
    for (const { flag, help } of Object.values(LOAD_OPTIONS)) {
      expect(text).toContain(`--${flag} <number>`);
      expect(text).toContain(help);
    }
  });
});

describe('the command', () => {
  const run = (...args: readonly string[]) =>
    promisify(execFile)(process.execPath, [
      fileURLToPath(new URL('../../../bench/cost/main.ts', import.meta.url)),
      ...args,
    ]);

  it('prints the bill as JSON', async () => {
    const { stdout } = await run('--jobs-per-day', '100', '--json');
    const printed: unknown = JSON.parse(stdout);
    const load = loadOf({ jobsPerDay: 100 });
    const bill = JSON.parse(JSON.stringify(billOf(load)));
    expect(printed).toMatchObject({ region: 'us-east-1', load, bill, sums: sumsOf(load, billOf(load)) });
  });

  it('ends with 1 and a sentence for what it cannot read', async () => {
    const failure = run('--watchers', 'many');
    await expect(failure).rejects.toMatchObject({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(/^--watchers must be a number .*\nSee npm run cost -- --help\n$/),
    });
  });
});

describe('the printed bill', () => {
  const load = loadOf({ jobsPerDay: 100_000, watchers: 3, updates: 20, pollSeconds: 10 });
  const bill = billOf(load);
  const text = renderBill(load, bill);

  it('has every item with quantity, price and sum', () => {
    const [messages] = bill.push.items;
    expect(messages).toMatchObject({ meter: 'socketMessages', quantity: 333_000_000 });
    expect(text).toMatch(
      /WebSocket API: messages of up to 32 KB, in and out +333,000,000 +\$1 a million +\$333\.00/,
    );
    expect(text).toMatch(/events of S3, which are opt-in +3,000,000 +\$1 a million \? +\$3\.00/);
  });

  it('names the ways, and compares the broker where there is one', () => {
    expect(text).toContain('Processing: lambda; broadcast: none.');
    expect(text).not.toContain('IoT Core');
    const ways = { ...DEFAULT_WAYS, broadcast: 'iot-core' } as const;
    const told = billOf(load, ways);
    expect(sumsOf(load, told, ways).broadcast).toBeCloseTo(
      told.common.dollars + (told.broadcast?.dollars ?? 0),
    );
    expect(renderBill(load, told, ways)).toMatch(/^A broker \(IoT Core\) +\$[\d,.]+ +\$[\d.]+$/m);
  });

  it('compares push with polling at four intervals', () => {
    const { push, polling } = sumsOf(load, bill);
    expect(Object.keys(polling)).toEqual(['1', '2', '5', '10']);
    expect(push).toBeCloseTo(bill.common.dollars + bill.push.dollars);
    expect(polling['10']).toBeCloseTo(bill.common.dollars + bill.polling.dollars);
    expect(text).toMatch(/^Push +\$[\d,.]+ +\$[\d.]+$/m);
    expect(text).toMatch(/one poll every [\d.]+ s\.$/);
  });

  it('compares nothing where there is nothing to compare', () => {
    const last = (said: Partial<Load>) => {
      const load = loadOf(said);
      return renderBill(load, billOf(load)).split('\n').at(-1);
    };
    expect(last({ jobsPerDay: 0, watchers: 0 })).toBe(
      'Without jobs, neither push nor polling costs anything.',
    );
    expect(last({ watchers: 0 })).toBe('Nobody watches, so that polling costs nothing at any interval.');
  });
});
