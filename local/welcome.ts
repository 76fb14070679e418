import type { Endpoints } from './state-directory.ts';

/** A file that every checkout has, for the lines that one can paste. */
const SAMPLE = 'node_modules/vega-datasets/data/seattle-weather.csv';

const SUBSCRIBE = '{"type":"subscribe","id":"1","topic":"owner:me"}';

/** Commands for a second terminal, each of which works as it stands; for a POSIX shell in the project's folder. */
export function pasteLines({ api, socket, broker }: Pick<Endpoints, 'api' | 'socket' | 'broker'>): {
  readonly submit: readonly string[];
  readonly watchJob: string;
  readonly watchAll: string;
  /** Where there is a broker. */
  readonly subscribe?: string;
} {
  // API answers are one line of JSON; sed is on every machine, jq is not.
  const field = (expression: string) => `sed 's/${expression}/'`;
  const body = String.raw`{\"kind\":\"csv-profile\",\"fileName\":\"$(basename $FILE)\",\"contentType\":\"text/csv\",\"size\":$(wc -c < $FILE)}`;
  const uploadUrl = String.raw`.*"upload":{[^}]*"url":"\([^"]*\)".*/\1`;
  const watchUrl = String.raw`.*"job":{"id":"\([^"]*\)".*"watch":{"url":"\([^"]*\)","ticket":"\([^"]*\)".*/\2?job=\1\&ticket=\3`;
  const ticket = String.raw`.*"ticket":"\([^"]*\)".*/\1`;
  const ofJob = (name: string) => `"$(echo "$JOB" | ${field(String.raw`.*"${name}":"\([^"]*\)".*/\1`)})"`;
  return {
    submit: [
      `FILE=${SAMPLE}`,
      `JOB=$(curl -s ${api}/jobs -H 'content-type: application/json' -d "${body}")`,
      `curl -T $FILE -H 'content-type: text/csv' "$(echo "$JOB" | ${field(uploadUrl)})"`,
    ],
    watchJob: `npx wscat -c "$(echo "$JOB" | ${field(watchUrl)})"`,
    watchAll: `npx wscat -c "${socket}?ticket=$(curl -s -X POST ${api}/tickets | ${field(ticket)})" -x '${SUBSCRIBE}' -w 7200`,
    ...(broker === undefined
      ? {}
      : {
          subscribe: `npx mqtt subscribe ${addressOf(broker)} -q 1 -i ${ofJob('clientIdPrefix')}$(date +%s) -u ${ofJob('username')} -P ${ofJob('ticket')} -t ${ofJob('topic')}`,
        }),
  };
}

/** The broker's URL as the `mqtt` command wants it. */
function addressOf(broker: string): string {
  const { protocol, hostname, port, pathname } = new URL(broker);
  return `-C ${protocol.slice(0, -1)} -h ${hostname} -p ${port} --path ${pathname}`;
}

/** What the terminal says once everything is ready. */
export function welcome(endpoints: Endpoints, startedInMs: number): string {
  const lines = pasteLines(endpoints);
  return `
Jobwire is ready after ${(startedInMs / 1000).toFixed(1)} s.

  page    ${endpoints.dashboard}
  API     ${endpoints.api}
  socket  ${endpoints.socket}${endpoints.broker === undefined ? '' : `\n  broker  ${endpoints.broker}`}

Paste into a second terminal, in this folder.

  Ask for a job, and upload a file:
    ${lines.submit.join('\n    ')}

  Watch that job (its ticket is good for 60 seconds):
    ${lines.watchJob}
${lines.subscribe === undefined ? '' : `\n  The same by MQTT (within the same 60 seconds):\n    ${lines.subscribe}\n`}
  Watch every job, from now on:
    ${lines.watchAll}

Stop with Ctrl-C. Other options: npm start -- --help
`;
}
