import type { Figure } from './measure.ts';
import type { Polled } from './pollers.ts';
import type { Summary } from './rounds.ts';

/** What one way of telling takes for one change. */
export type ToldMetric = 'milliseconds' | 'requests';

/** What both ways of telling came to, for one audience. */
export interface Told {
  readonly socket: Readonly<Record<ToldMetric, Summary>>;
  readonly broker: Readonly<Record<ToldMetric, Summary>>;
}

/** The job that figures are for: so many seconds, so many changes. */
export const JOB_SECONDS = 60;
export const JOB_CHANGES = 20;

/** What polling every so many seconds is called. */
export const polledEvery = (seconds: number) => `polled every ${seconds} s`;

/** The rows of the measure `telling`: for each audience each way, beside polling. */
export function toldFigures(
  told: ReadonlyMap<number, Told>,
  polled: ReadonlyMap<number, Polled>,
  intervalSeconds: number,
): readonly Figure[] {
  const byPolls = polledEvery(intervalSeconds);
  return [...told].flatMap(([watchers, { socket, broker }]): Figure[] => {
    const name = (way: string, what: string) => `${watchers} watchers, ${way}: ${what}`;
    const polls = polled.get(watchers);
    // Each polls as it does where that is measured, whoever polls beside it.
    const pollsOfAJob = watchers * (polls?.requestsPerSecond ?? 1 / intervalSeconds) * JOB_SECONDS;
    const pushed = (way: string, { milliseconds, requests }: Told['socket']): Figure[] => {
      const beside = (value: number, theirs: number) => ({
        value,
        baseline: { name: byPolls, value: theirs },
        ratio: theirs / value,
      });
      const time = { name: name(way, 'last told'), unit: 'ms', spread: milliseconds.spread };
      return [
        polls === undefined
          ? { ...time, value: milliseconds.median }
          : { ...time, ...beside(milliseconds.median, polls.lastTold.median) },
        {
          name: name(way, 'requests a change'),
          unit: '',
          ...beside(requests.median, pollsOfAJob / JOB_CHANGES),
        },
        {
          name: name(way, 'requests in the life of a job'),
          unit: '',
          ...beside(requests.median * JOB_CHANGES, pollsOfAJob),
        },
      ];
    };
    return [
      ...pushed('WebSocket', socket),
      ...pushed('broker', broker),
      ...(polls === undefined
        ? []
        : [
            {
              name: name(byPolls, 'last told'),
              unit: 'ms',
              value: polls.lastTold.median,
              spread: polls.lastTold.spread,
            },
          ]),
      { name: name(byPolls, 'requests in the life of a job'), unit: '', value: pollsOfAJob },
    ];
  });
}

/** Of the largest audience. */
export function toldRatios(told: ReadonlyMap<number, Told>): Readonly<Record<string, number>> {
  const audiences = [...told.keys()];
  const [least, most] = [told.get(Math.min(...audiences)), told.get(Math.max(...audiences))];
  if (least === undefined || most === undefined) return {};
  return {
    brokerRequestsMostToFewest: most.broker.requests.median / least.broker.requests.median,
    timeWebSocketToBroker: most.socket.milliseconds.median / most.broker.milliseconds.median,
  };
}
