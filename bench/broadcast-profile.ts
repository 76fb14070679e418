import { AUDIENCE } from './connections.ts';
import { figureOf, machinesOf, quantity } from './figures.ts';
import type { Results } from './results.ts';
import { formatNumber } from './table.ts';

const PROFILE = 'broadcast profile: ';

/** What signing and HTTP are, among the occupations of cpu-shares.ts. */
const SIGNING_AND_HTTP: readonly string[] = ['signature and permission', 'HTTP and sockets'];

/**
 * What a broadcast through `@connections` spends its time on, in Markdown, of a run of the measure `connections`.
 * @throws MissingFigureError where the results lack a figure
 */
export function broadcastProfile(results: Results): string {
  const { value, unit, baseline } = figureOf(
    results,
    'connections',
    'broadcast: signed posts and a send loop',
  );
  const measured = results.measures.connections;
  const parts = (measured?.figures ?? [])
    .filter(({ name }) => name.startsWith(PROFILE))
    .map((figure) => ({ name: figure.name.slice(PROFILE.length), percent: figure.value }))
    .toSorted((one, other) => other.percent - one.percent);
  const signingAndHttp = parts
    .filter(({ name }) => SIGNING_AND_HTTP.includes(name))
    .reduce((sum, { percent }) => sum + percent, 0);
  const bare =
    baseline === undefined
      ? ''
      : `; ${baseline.name}, which only sends, tells ${quantity(baseline.value, unit)}`;
  return [
    `On ${machinesOf(results, ['connections'])} (\`npm run bench -- connections\`, ${measured?.at.slice(0, 10)}), a broadcast to ${formatNumber(AUDIENCE)} connections, each by a signed post, tells ${quantity(value, unit)}${bare}. What the gateway's process does meanwhile, of the time in which it is busy:`,
    '',
    '| what the gateway does | of its busy time |',
    '| --- | --: |',
    ...parts.map(({ name, percent }) => `| ${name} | ${formatNumber(percent)} % |`),
    '',
    `Signing and HTTP are ${formatNumber(signingAndHttp)} % of it${signingAndHttp > 50 ? ', more than all else together: they are what limits a broadcast' : ''}.`,
  ].join('\n');
}
