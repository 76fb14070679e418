import { randomBytes } from 'node:crypto';
import { setDefaultCACertificates } from 'node:tls';
import { answerCalls } from './child-process.ts';
import { POSTERS, type PosterName, type PostToAll } from './post-contestants.ts';

/** What one round took. */
export interface PostRound {
  /** Microseconds of processor time of the posting process for each post. */
  readonly processor: number;
  /** Microseconds of the clock for each post. */
  readonly clock: number;
}

/** The calls that a posting process answers. */
export interface PostProcessApi {
  /** Makes the way to post; trusts the certificate. */
  prepare(settings: {
    readonly name: PosterName;
    readonly endpoint: string;
    readonly certificate: string;
  }): Promise<void>;
  /**
   * Posts the frame to as many connections, each once, and measures that; before, to `opening` others, so that
   * ways which keep their sockets have them open. They lie idle for seconds between two rounds.
   */
  post(load: {
    readonly posts: number;
    readonly opening: number;
    readonly frame: string;
  }): Promise<PostRound>;
  readonly [name: string]: (argument: never) => unknown;
}

// The SDK's client warns that requests wait for sockets. They do; that is the way it is used.
console.warn = () => {};

/** One way to post, in a process of its own: what another way leaves to be compiled or collected is not its cost. */
let prepared: PostToAll | undefined;

answerCalls<PostProcessApi>({
  async prepare({ name, endpoint, certificate }) {
    setDefaultCACertificates([certificate]);
    prepared = await POSTERS[name](new URL(endpoint));
  },
  async post({ posts, opening, frame }) {
    if (prepared === undefined) throw new Error('prepare comes first');
    const connections = newConnections(posts);
    await prepared(newConnections(opening), frame);
    const processorBefore = process.cpuUsage();
    const startedAt = performance.now();
    await prepared(connections, frame);
    const clock = ((performance.now() - startedAt) * 1000) / posts;
    const { user, system } = process.cpuUsage(processorBefore);
    return { processor: (user + system) / posts, clock };
  },
});

/** As API Gateway names them (aws-facts 1.1). */
function newConnections(length: number): readonly string[] {
  return Array.from({ length }, () => `${randomBytes(11).toString('base64url')}=`);
}
