import { ConnectionPoster } from '../handlers/aws/connection-poster.ts';
import { answerCalls } from './child-process.ts';

/** What posts to the gateway. */
export interface Poster {
  /** Gets credentials, which are read from the environment as on Lambda. */
  prepare(settings: {
    readonly socketUrl: string;
    readonly accessKeyId: string;
    readonly secretAccessKey: string;
  }): void;
  /** Posts the frame to every connection once; settles when all are answered. */
  post(work: { readonly connections: readonly string[]; readonly frame: string }): Promise<void>;
}

/** Posts under way at a time. More only wait in the gateway, which takes one at a time. */
const AT_ONCE = 64;

let poster: ConnectionPoster | undefined;

answerCalls<Poster>({
  prepare({ socketUrl, accessKeyId, secretAccessKey }) {
    process.env['AWS_ACCESS_KEY_ID'] = accessKeyId;
    process.env['AWS_SECRET_ACCESS_KEY'] = secretAccessKey;
    process.env['AWS_REGION'] = 'us-east-1';
    poster = new ConnectionPoster({ socketUrl });
  },
  async post({ connections, frame }) {
    if (poster === undefined) throw new TypeError('prepare comes first');
    const post = poster.post.bind(poster);
    const left = connections.values();
    const work = async () => {
      for (const connection of left) await post(connection, frame);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  },
});
