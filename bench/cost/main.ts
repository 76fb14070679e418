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
} else {
  const { load, json } = request;
  const bill = billOf(load);
  const everything = {
    region: REGION,
    pricesCollected: PRICES_COLLECTED,
    load,
    sums: sumsOf(load, bill),
    bill,
    prices: PRICES,
  };
  console.log(json ? JSON.stringify(everything, undefined, 2) : renderBill(load, bill));
}
