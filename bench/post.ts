import { jobFrame, serializeFrame } from '../protocol/frames.ts';
import type { Job } from '../protocol/job.ts';
import { type Child, startChild } from './child-process.ts';
import { makeLoopbackCertificate } from './loopback-certificate.ts';
import { type Figure, type Measure, type MeasureSettings, requireInvariant } from './measure.ts';
import type { PosterName } from './post-contestants.ts';
import type { PostProcessApi, PostRound } from './post-process.ts';
import type { PostServerApi } from './post-server.ts';
import { alternate, type Round, type Summary } from './rounds.ts';

/** What each way to post is called in the table. */
const NAMES: Readonly<Record<PosterName, string>> = {
  ours: 'ours',
  sdk: 'SDK, Promise.all',
  sdkTuned: 'SDK, tuned',
  signerAndUndici: 'signature-v4 and undici',
  unsigned: 'unsigned undici',
};

/** Posts a round, for all alike, since code that ran more often is compiled better: a large audience. */
const POSTS = 10_000;
/** Posts before each round that are not measured: twice as many as there are sockets at most. */
const OPENING_POSTS = 128;
const QUICK_POSTS = 20;
const ROUNDS = 3;
const TRANSPORTS = ['plain', 'tls'] as const;
type Transport = (typeof TRANSPORTS)[number];

/** The length of a session token of a function's role. */
const TOKEN_LENGTH = 1_000;

/** What Lambda would set. */
const ENVIRONMENT = {
  AWS_REGION: 'us-east-1',
  AWS_ACCESS_KEY_ID: 'ASIAIOSFODNN7EXAMPLE',
  AWS_SECRET_ACCESS_KEY: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  AWS_SESSION_TOKEN: 'IQoJb3JpZ2luX2VjE'.padEnd(TOKEN_LENGTH, 'Xk3/+'),
};

/** The state of a job in the middle of its work, as it goes to 10,000 watchers. */
const JOB: Job = {
  id: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA',
  kind: 'csv-profile',
  epoch: '01JCXW3V6Q8Y2T5R9K4M7N0PZA',
  seq: 17,
  status: 'running',
  stalled: false,
  tags: ['invoices', 'march'],
  progress: { fraction: 0.42, done: 42_000, total: 100_000, unit: 'rows' },
  message: 'Reading the file',
  createdAt: '2026-11-23T12:00:00.000Z',
  updatedAt: '2026-11-23T12:00:20.000Z',
  startedAt: '2026-11-23T12:00:10.000Z',
  expiresAt: '2026-11-30T12:00:00.000Z',
  history: [
    { status: 'awaiting-upload', at: '2026-11-23T12:00:00.000Z', seq: 1 },
    { status: 'queued', at: '2026-11-23T12:00:09.000Z', seq: 2 },
    { status: 'running', at: '2026-11-23T12:00:10.000Z', seq: 3 },
  ],
};

type Summaries = Readonly<Record<PosterName, Readonly<Record<keyof PostRound, Summary>>>>;

/**
 * One frame to many connections: processor time of the posting process, and rate, beside the SDK's client as a user
 * would write it and tuned, beside the SDK's signer with undici, and beside undici alone. A rate is what one core
 * posts: a second divided by the processor time of a post. The rate by the clock depends on what else the machine
 * does, and on the server, which is in a process of its own. Sockets that a way keeps are open before a round; the
 * samples make a client for every invocation, so that to open its sockets is part of their way.
 */
export const post: Measure = {
  name: 'post',
  summary: 'posts to connections: processor time and rate, beside the SDK and the bare transport',
  async run(settings) {
    const frame = serializeFrame(jobFrame(JOB));
    const children: { end(): Promise<void> }[] = [];
    try {
      const server = startChild<PostServerApi>(new URL('post-server.ts', import.meta.url));
      children.push(server);
      const certificate = makeLoopbackCertificate();
      const ports = await server.call('start', certificate);
      const endpoints = {
        plain: `http://127.0.0.1:${ports.plain}/live`,
        tls: `https://127.0.0.1:${ports.tls}/live`,
      };
      const measured = async (transport: Transport): Promise<Summaries> => {
        // Processes of its own for each transport: code that has met both kinds of socket is slower on either.
        const rounds = await Promise.all(
          // Keys of a const table.
          (Object.keys(NAMES) as PosterName[]).map(async (name) => {
            const child = startChild<PostProcessApi>(new URL('post-process.ts', import.meta.url), {
              environment: ENVIRONMENT,
            });
            children.push(child);
            const endpoint = endpoints[transport];
            await child.call('prepare', { name, endpoint, certificate: certificate.certificate });
            const round = () => postOnce(name, child, server, { frame, quick: settings.quick });
            return [name, round] as const;
          }),
        );
        // Every name has just got its entry.
        const contestants = Object.fromEntries(rounds) as Record<PosterName, Round<keyof PostRound>>;
        return alternate(contestants, roundsOf(settings, transport));
      };
      const plain = await measured('plain');
      const tls = await measured('tls');
      return {
        figures: TRANSPORTS.flatMap((transport) => figuresOf(transport, transport === 'plain' ? plain : tls)),
        ratios: { ...ratiosOf(plain, ''), ...ratiosOf(tls, 'OverTls') },
      };
    } finally {
      await Promise.all(children.map((child) => child.end()));
    }
  },
};

function roundsOf({ quick, signal, log }: MeasureSettings, transport: Transport) {
  return {
    rounds: quick ? 1 : ROUNDS,
    warmUps: quick ? 0 : 1, // as long as a round, so that what follows finds the code compiled
    signal,
    log: (line: string) => log(`${transport}: ${line}`),
  };
}

async function postOnce(
  name: PosterName,
  child: Child<PostProcessApi>,
  server: Child<PostServerApi>,
  { frame, quick }: { readonly frame: string; readonly quick: boolean },
): Promise<PostRound> {
  const posts = quick ? QUICK_POSTS : POSTS;
  const opening = quick ? 1 : OPENING_POSTS;
  const round = await child.call('post', { posts, opening, frame });
  const came = await server.call('take');
  const all = opening + posts;
  requireInvariant(
    came.posts === all && came.connections === all && came.bytes === all * Buffer.byteLength(frame),
    `${NAMES[name]} posted ${all} frames to as many connections; ${came.posts} came to ${came.connections}`,
  );
  return round;
}

function ratiosOf({ ours, sdk, sdkTuned, unsigned }: Summaries, suffix: string): Record<string, number> {
  return {
    [`cpuOursToSdk${suffix}`]: ours.processor.median / sdk.processor.median,
    [`cpuOursToSdkTuned${suffix}`]: ours.processor.median / sdkTuned.processor.median,
    // Of rates of one core, see `post`; and by the clock, where both ways wait for the same server.
    [`rateOursToUnsigned${suffix}`]: unsigned.processor.median / ours.processor.median,
    [`rateOursToUnsignedByClock${suffix}`]: unsigned.clock.median / ours.clock.median,
  };
}

function figuresOf(transport: Transport, summaries: Summaries): readonly Figure[] {
  const over = transport === 'tls' ? ' over TLS' : '';
  const { ours } = summaries;
  // Keys of the same table.
  const others = (Object.keys(NAMES) as PosterName[]).filter((name) => name !== 'ours');
  const rate = (summary: Summary) => 1_000_000 / summary.median;
  return [
    ...others.map((name): Figure => {
      const { processor } = summaries[name];
      return {
        name: `processor time a post${over}`,
        unit: 'µs',
        value: ours.processor.median,
        spread: ours.processor.spread,
        baseline: { name: NAMES[name], value: processor.median },
        ratio: ours.processor.median / processor.median,
      };
    }),
    ...(['processor', 'clock'] as const).map((metric): Figure => {
      const unsigned = summaries.unsigned[metric];
      return {
        name: `posts a second${metric === 'clock' ? ' of the clock' : ' of one core'}${over}`,
        unit: 'posts/s',
        value: rate(ours[metric]),
        spread: (rate(ours[metric]) * ours[metric].spread) / ours[metric].median,
        baseline: { name: NAMES.unsigned, value: rate(unsigned) },
        ratio: unsigned.median / ours[metric].median,
      };
    }),
  ];
}
