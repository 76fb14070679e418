import { type Bill, DAYS, equalInterval, heardOf, pollingDollars, type Section } from './bill.ts';
import type { Load } from './load.ts';
import { PRICES, PRICES_COLLECTED, REGION } from './prices.ts';
import { DEFAULT_WAYS, type Ways } from './ways.ts';

/** The intervals that polling is always compared at, in seconds. */
export const COMPARED_INTERVALS = [1, 2, 5] as const;

/** What a load costs in sums: dollars a month. */
export interface Sums {
  readonly push: number;
  /** By the seconds between two polls. */
  readonly polling: Readonly<Record<string, number>>;
  /** Where there is a broker. */
  readonly broadcast?: number;
  /** The interval in seconds at which polling costs as much as push; absent where none does. */
  readonly equalInterval?: number;
}

/** The sums of a bill, what is common to both ways included. */
export function sumsOf(load: Load, bill: Bill, ways: Ways = DEFAULT_WAYS): Sums {
  const intervals = [...new Set([...COMPARED_INTERVALS, load.pollSeconds])].sort((one, other) => one - other);
  const equal = equalInterval(load, ways);
  return {
    push: bill.common.dollars + bill.push.dollars,
    polling: Object.fromEntries(
      intervals.map((seconds) => [seconds, bill.common.dollars + pollingDollars(load, seconds, ways)]),
    ),
    ...(bill.broadcast === undefined ? {} : { broadcast: bill.common.dollars + bill.broadcast.dollars }),
    ...(equal === undefined ? {} : { equalInterval: equal }),
  };
}

/** The bill, item by item. */
export function renderBill(load: Load, bill: Bill, ways: Ways = DEFAULT_WAYS): string {
  const { push, polling, broadcast, equalInterval: equal } = sumsOf(load, bill, ways);
  const jobs = load.jobsPerDay * DAYS;
  const sums: readonly (readonly [string, number])[] = [
    ['Push', push],
    ...(broadcast === undefined ? [] : [['A broker (IoT Core)', broadcast] as const]),
    ...Object.entries(polling).map(([seconds, dollars]) => [`Polling every ${seconds} s`, dollars] as const),
  ];
  const lines = [
    `A month of ${DAYS} days in ${REGION}, prices of ${PRICES_COLLECTED}, without free tiers; ? marks an uncertain price.`,
    `${count(load.jobsPerDay)} jobs a day with ${count(load.watchers)} watchers each, who stay ${count(load.watchMinutes)} minutes; ${count(load.updates)} updates in ${count(load.jobSeconds)} s of work.`,
    `Processing: ${ways.processing}; broadcast: ${ways.broadcast}.`,
    ...skipped(load, ways),
    '',
    ...table([
      ...rowsOf('What all ways of telling need: making, uploading and processing jobs', bill.common),
      ...rowsOf(`Push, beside that (a ping every ${count(load.pingSeconds)} s)`, bill.push),
      ...(bill.broadcast === undefined
        ? []
        : rowsOf('A broker that tells all watchers instead (IoT Core), beside that', bill.broadcast)),
      ...rowsOf(`Polling every ${count(load.pollSeconds)} s, beside that`, bill.polling),
    ]),
    ...table([
      ['In all', 'a month', 'a thousand jobs'],
      ...sums.map(([name, sum]) => [name, money(sum), jobs === 0 ? '' : money((sum / jobs) * 1_000)]),
    ]),
    '',
    comparison(load, bill, equal),
  ];
  return lines.join('\n');
}

function skipped(load: Load, ways: Ways): readonly string[] {
  const { heard, states } = heardOf(load, ways);
  if (heard === states) return [];
  return [
    `At ${count(load.postsPerSecond)} posts a second, a watcher hears of ${heard} of ${states} states, always of the last one; pings ask for newer ones.`,
  ];
}

function comparison({ watchers }: Load, { push }: Bill, equal: number | undefined): string {
  if (equal !== undefined) return `Polling costs as much as push at one poll every ${count(equal)} s.`;
  if (push.dollars === 0) return 'Without jobs, neither push nor polling costs anything.';
  if (watchers === 0) return 'Nobody watches, so that polling costs nothing at any interval.';
  return 'There is no interval from 0.1 s to an hour at which polling costs as much as push.';
}

/** A title, its items, their sum, and a row of nothing. */
function rowsOf(title: string, { items, dollars }: Section): readonly (readonly string[])[] {
  const rows = items.map(({ meter, quantity, unitPrice, dollars: sum }) => {
    const price = PRICES[meter];
    const uncertain = 'uncertain' in price ? ' ?' : '';
    return [
      `  ${price.service}: ${price.unit}`,
      count(quantity),
      `${unit(unitPrice)}${uncertain}`,
      money(sum),
    ];
  });
  return [[title, 'quantity', 'unit price', 'sum'], ...rows, ['', '', '', money(dollars)], ['']];
}

function table(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** A price that can be read: of a million units where one costs next to nothing. */
function unit(dollars: number): string {
  if (dollars === 0) return 'free';
  return dollars < 0.01 ? `$${significant(dollars * 1e6)} a million` : `$${significant(dollars)}`;
}

function count(quantity: number): string {
  return quantity >= 100 ? Math.round(quantity).toLocaleString('en-US') : significant(quantity);
}

function significant(value: number): string {
  return value.toLocaleString('en-US', { maximumSignificantDigits: 3 });
}

/** Dollars and cents; whole dollars from a thousand on. */
export function money(dollars: number): string {
  const digits = dollars >= 1_000 ? 0 : 2;
  return `$${dollars.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits })}`;
}
