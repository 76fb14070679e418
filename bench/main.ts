import { parseArgs } from 'node:util';
import { measureLatency, printLatency } from './latency.ts';
import { machine } from './machine.ts';

const HELP = `Measures Jobwire on this machine, through the local runtime.

Usage: npm run bench -- [measure …] [options]

Measures:
  latency           from the commit of a change to its frame in a watcher

  --rate <number>   changes a second on one job (default 10)
  --seconds <number>  how long (default 20)
  --help            print this`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    rate: { type: 'string', default: '10' },
    seconds: { type: 'string', default: '20' },
    help: { type: 'boolean', short: 'h', default: false },
  },
});

const unknown = positionals.filter((name) => name !== 'latency');
if (values.help) {
  console.log(HELP);
} else if (unknown.length > 0) {
  console.error(`There is no measure ${unknown.join(', ')}.\n\n${HELP}`);
  process.exitCode = 1;
} else {
  console.log(machine());
  printLatency(await measureLatency({ rate: Number(values.rate), seconds: Number(values.seconds) }));
}
