import { quantile } from './traffic.ts';
import { formatLatency } from './units.ts';

const WIDTH = 320;
const HEIGHT = 120;
/** Room for the labels on the left, and half a line above and below. */
const LEFT = 48;
const EDGE = 8;
/** From 1 ms to 10 s: what lies between a loopback and a cold start, each tenfold as high as the next. */
const DECADES = 4;
const GRID = [1, 10, 100, 1_000, 10_000];

/** Latencies in the order of arrival, on a logarithmic scale: a few slow ones do not flatten the many quick ones. */
export function LatencyPlot({ latencies }: { latencies: readonly number[] }) {
  const step = (WIDTH - LEFT - EDGE) / Math.max(1, latencies.length - 1);
  const points = latencies.map((latency, index) => ({ x: LEFT + index * step, y: heightOf(latency) }));
  return (
    <svg class="plot" viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={describe(latencies)}>
      {GRID.map((latency) => (
        <g key={latency}>
          <line class="plot-grid" x1={LEFT} x2={WIDTH} y1={heightOf(latency)} y2={heightOf(latency)} />
          <text class="plot-label" x={LEFT - 8} y={heightOf(latency) + 3.5} text-anchor="end">
            {latency < 1_000 ? `${latency} ms` : `${latency / 1_000} s`}
          </text>
        </g>
      ))}
      <polyline
        class="plot-line"
        points={points.map(({ x, y }) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}
      />
      {points.map(({ x, y }) => (
        <circle key={x} class="plot-dot" cx={x} cy={y} r={1.75} />
      ))}
      {latencies.length === 0 ? (
        <text class="plot-empty" x={(LEFT + WIDTH) / 2} y={HEIGHT / 2 - 6} text-anchor="middle">
          Nothing has come live yet
        </text>
      ) : null}
    </svg>
  );
}

function heightOf(latency: number): number {
  const decades = Math.log10(Math.max(1, Math.min(latency, 10 ** DECADES)));
  return HEIGHT - EDGE - (decades / DECADES) * (HEIGHT - 2 * EDGE);
}

function describe(latencies: readonly number[]): string {
  const median = quantile(latencies, 0.5);
  const last = latencies.at(-1);
  if (median === undefined || last === undefined) return 'Latencies: none measured yet';
  return `The last ${latencies.length} latencies: median ${formatLatency(median)}, newest ${formatLatency(last)}`;
}
