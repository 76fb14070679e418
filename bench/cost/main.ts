import { readFileSync, writeFileSync } from 'node:fs';
import { DOCUMENT, withTables } from '../scale/document.ts';
import { scaleTables } from '../scale/tables.ts';
import { billOf } from './bill.ts';
import { readCommandLine } from './command-line.ts';
import { PRICES, PRICES_COLLECTED, REGION } from './prices.ts';
import { renderBill, sumsOf } from './print.ts';

const request = readCommandLine(process.argv.slice(2));
if (request.kind === 'help') {
  console.log(request.text);
} else if (request.kind === 'refused') {
  console.error(`${request.problem}.\nSee npm run cost -- --help`);
  process.exitCode = 1;
} else if (request.kind === 'scale') {
  const tables = scaleTables();
  if (request.write) writeFileSync(DOCUMENT, withTables(readFileSync(DOCUMENT, 'utf8'), tables));
  else for (const [name, table] of Object.entries(tables)) console.log(`${name}\n\n${table}\n`);
} else {
  const { load, ways, json } = request;
  const bill = billOf(load, ways);
  const everything = {
    region: REGION,
    pricesCollected: PRICES_COLLECTED,
    load,
    ways,
    sums: sumsOf(load, bill, ways),
    bill,
    prices: PRICES,
  };
  console.log(json ? JSON.stringify(everything, undefined, 2) : renderBill(load, bill, ways));
}
