import { randomBytes } from 'node:crypto';
import { setDefaultCACertificates } from 'node:tls';
import { answerCalls } from './child-process.ts';
import { POSTERS, type PosterName, type PostToAll } from './post-contestants.ts';

/** Over which transport. */
export type Transport = 'plain' | 'tls';

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
    readonly endpoints: Readonly<Record<Transport, string>>;
    readonly certificate: string;
  }): void;
  /** Posts the frame to as many connections, each once. */
  post(load: {
    readonly transport: Transport;
    readonly posts: number;
    readonly frame: string;
  }): Promise<PostRound>;
  readonly [name: string]: (argument: never) => unknown;
}

// The SDK's client warns that requests wait for sockets. They do; that is the way it is used.
console.warn = () => {};

/** One way to post, in a process of its own: what another way leaves to be compiled or collected is not its cost. */
let prepared: Readonly<Record<Transport, PostToAll>> | undefined;

answerCalls<PostProcessApi>({
  prepare({ name, endpoints, certificate }) {
    setDefaultCACertificates([certificate]);
    prepared = { plain: POSTERS[name](new URL(endpoints.plain)), tls: POSTERS[name](new URL(endpoints.tls)) };
  },
  async post({ transport, posts, frame }) {
    if (prepared === undefined) throw new Error('prepare comes first');
    // As API Gateway names them (aws-facts 1.1).
    const connections = Array.from({ length: posts }, () => `${randomBytes(11).toString('base64url')}=`);
    const processorBefore = process.cpuUsage();
    const startedAt = performance.now();
    await prepared[transport](connections, frame);
    const clock = ((performance.now() - startedAt) * 1000) / posts;
    const { user, system } = process.cpuUsage(processorBefore);
    return { processor: (user + system) / posts, clock };
  },
});
