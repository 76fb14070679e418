import { PORTION } from '../../handlers/publish/concurrency.ts';
import { SHORTEST_ROUND } from '../../handlers/publish/rounds.ts';
import type { Load } from './load.ts';
import type { Flow } from './requests.ts';
import { OWN_MILLISECONDS, REQUESTS_AT_A_TIME, type Usage } from './usage.ts';

/** Rows of watchers in a read unit: ARCHITECTURE.md, "Reads and writes". */
export const WATCHERS_IN_A_UNIT = 37;

/** The most that one execution environment posts in a second (infrastructure/publishing.ts). */
const POSTS_PER_ENVIRONMENT = 1_000;

/** At least so many environments share the posts (the least `MaximumConcurrency`; infrastructure/publishing.ts). */
const FEWEST_ENVIRONMENTS = 2;

/** Reading who watches, noting the round, sending its message: what `publish` waits for, one after the other. */
const REQUEST_TIMES_OF_AN_ANNOUNCEMENT = 3;

/** Frames are counted where it is known how many there are. */
const NO_POSTS = { posts: 0 };

/** A range is read, the round lengthened, the job read, and the last of its posts answered. */
const REQUESTS_OF_A_RANGE = 4;

/**
 * How many rounds of one job are told, of so many states that might be pushed; where everybody can be told
 * everything, as many. A round takes as long as its posts at the setting `postsPerSecond`, which all large audiences
 * share, and states that are committed meanwhile are skipped for the newest one (docs/decisions/0017).
 */
export function roundsOf(load: Load, states: number): number {
  if (load.watchers <= PORTION) return states;
  const seconds = load.uploadSeconds + load.jobSeconds;
  const jobsAtATime = Math.max(1, (load.jobsPerDay * seconds) / 86_400);
  const round = Math.max(SHORTEST_ROUND / 1_000, (load.watchers * jobsAtATime) / load.postsPerSecond);
  // The last state always gets a round, behind the one that is under way.
  return Math.min(states, Math.floor(seconds / round) + 1);
}

/**
 * What it takes to tell the large audiences of so many jobs, each of so many states; the frames are not in it.
 * A job's first round begins with its first state. The states that follow are one more word to the round behind it,
 * or, where rounds are as many as states, a round each.
 */
export function addLargeAudiences(
  usage: Usage,
  load: Load,
  { jobs, states }: { readonly jobs: number; readonly states: number },
): void {
  const rounds = roundsOf(load, states);
  const behind = rounds === states ? 0 : rounds - 1;
  const begun = rounds - behind;
  const announce = (flow: Flow, times: number) =>
    usage.run(flow, jobs * times, 'publish', 'another', NO_POSTS);
  announce('announce a change to a large audience', begun);
  announce('announce another change during its round', behind);
  announce('announce one more', states - rounds);
  // Each of them reads until it knows that the audience is large.
  usage.add('readUnits', jobs * states * (unitsOf(PORTION + 1) - 1 + load.tags));
  const batches = (jobs * states) / load.changesPerBatch;
  usage.invoke(
    'publish',
    batches,
    OWN_MILLISECONDS +
      load.requestMs *
        REQUEST_TIMES_OF_AN_ANNOUNCEMENT *
        Math.ceil(load.changesPerBatch / REQUESTS_AT_A_TIME),
  );

  const ranges = Math.ceil(load.watchers / PORTION);
  const told = jobs * rounds;
  usage.run('tell the first range of a large audience', told, 'deliver', 'another', {
    posts: 0,
    messages: ranges - 1,
  });
  usage.run('tell another range of it', told * (ranges - 1), 'deliver', 'another', NO_POSTS);
  usage.add('readUnits', told * ranges * (unitsOf(PORTION) - 1));
  usage.add('writeUnits', jobs * behind); // a round that follows another begins in `deliver`
  const pace = Math.min(POSTS_PER_ENVIRONMENT, load.postsPerSecond / FEWEST_ENVIRONMENTS);
  const postsOfARange = load.watchers / ranges;
  usage.invoke(
    'deliver',
    told * ranges,
    OWN_MILLISECONDS + load.requestMs * REQUESTS_OF_A_RANGE + (postsOfARange / pace) * 1_000,
  );
}

function unitsOf(watchers: number): number {
  return Math.ceil(watchers / WATCHERS_IN_A_UNIT);
}
