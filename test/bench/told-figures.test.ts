import { describe, expect, it } from 'vitest';
import type { Polled } from '../../bench/pollers.ts';
import type { Summary } from '../../bench/rounds.ts';
import { type Told, toldFigures, toldRatios } from '../../bench/told-figures.ts';

const summary = (median: number): Summary => ({ median, spread: 0, values: [median] });

function told(milliseconds: readonly [number, number], requests: readonly [number, number]): Told {
  const way = (index: 0 | 1) => ({
    milliseconds: summary(milliseconds[index]),
    requests: summary(requests[index]),
  });
  return { socket: way(0), broker: way(1) };
}

const TOLD = new Map([
  [1, told([20, 10], [3, 3])],
  [10_000, told([500, 250], [10_023, 3])],
]);
const POLLED = new Map<number, Polled>([[1, { lastTold: summary(1_000), requestsPerSecond: 0.5 }]]);

describe('the figures of telling', () => {
  const figures = new Map(toldFigures(TOLD, POLLED, 2).map((figure) => [figure.name, figure]));

  it('stand beside polling, where that was measured', () => {
    expect(figures.get('1 watchers, WebSocket: last told')).toMatchObject({
      value: 20,
      baseline: { name: 'polled every 2 s', value: 1_000 },
      ratio: 50,
    });
    expect(figures.get('10000 watchers, broker: last told')?.baseline).toBeUndefined();
    expect(figures.has('10000 watchers, polled every 2 s: last told')).toBe(false);
  });

  it('count the requests of a job of a minute and twenty changes', () => {
    expect(figures.get('1 watchers, polled every 2 s: requests in the life of a job')?.value).toBe(30);
    expect(figures.get('10000 watchers, polled every 2 s: requests in the life of a job')?.value).toBe(
      300_000,
    );
    expect(figures.get('10000 watchers, WebSocket: requests in the life of a job')?.value).toBe(200_460);
    expect(figures.get('10000 watchers, broker: requests a change')).toMatchObject({
      value: 3,
      baseline: { value: 15_000 },
    });
  });

  it('come to how much a broker grows with its audience, and how much sooner it tells', () => {
    expect(toldRatios(TOLD)).toEqual({ brokerRequestsMostToFewest: 1, timeWebSocketToBroker: 2 });
  });
});
