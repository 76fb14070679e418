import type { ClientFrame, ServerFrame } from '../protocol/frames.ts';
import type { FRAME_SCHEMAS } from './schemas.ts';

/** What the documents say of a frame beside its shape. */
export interface Message {
  readonly summary: string;
  /** What it does, and when it is illegal. */
  readonly description: string;
  /** The shapes that it has; exactly one of them at a time. */
  readonly schemas: readonly (keyof typeof FRAME_SCHEMAS)[];
}

/** The frames that a client sends. */
export const CLIENT_MESSAGES: Readonly<
  Record<ClientFrame['type'], Message & { readonly answer: 'subscribed' | 'unsubscribed' | 'pong' }>
> = {
  subscribe: {
    summary: 'Watch a job or a topic',
    description:
      'Names either a job or a topic. `since` is the newest state that the client has. Illegal for another job than the ticket’s, and for a topic with the ticket of one job: `forbidden`. A job that does not exist, or is somebody else’s: `not-found`. Beyond 100 jobs and topics: `too-many-subscriptions`.',
    schemas: ['SubscribeToJob', 'SubscribeToTopic'],
    answer: 'subscribed',
  },
  unsubscribe: {
    summary: 'Stop watching a job or a topic',
    description:
      'What was not watched is not watched afterwards either: no error. Illegal for a topic with the ticket of one job: `forbidden`.',
    schemas: ['UnsubscribeFromJob', 'UnsubscribeFromTopic'],
    answer: 'unsubscribed',
  },
  ping: {
    summary: 'Keep alive, and ask for what was missed',
    description:
      '`heads` is the newest `seq` of each job that the client has, 500 at most. `job` frames for every head that is behind come before the answer. Heads of jobs that are not the client’s are passed over.',
    schemas: ['Ping'],
    answer: 'pong',
  },
};

/** The frames that a server sends. */
export const SERVER_MESSAGES: Readonly<Record<ServerFrame['type'], Message>> = {
  subscribed: {
    summary: 'The answer to `subscribe`',
    description:
      'The whole state; or, with a `since` that is current, only its head; or, for a topic, its name. The subscription counts from then on at the latest.',
    schemas: ['Subscribed'],
  },
  job: {
    summary: 'A state of a watched job',
    description:
      'Not asked for. May come before `subscribed`, more than once, and late: the client keeps the larger `seq`.',
    schemas: ['JobState'],
  },
  pong: {
    summary: 'The answer to `ping`',
    description: 'What is newer than the heads has been sent before it.',
    schemas: ['Pong'],
  },
  unsubscribed: {
    summary: 'The answer to `unsubscribe`',
    description: 'A `job` frame that was on its way may still follow.',
    schemas: ['Unsubscribed'],
  },
  error: {
    summary: 'The answer to a frame that failed',
    description:
      'The connection stands. Without `id` where the id of the failed frame could not be read. `retryable` says whether the same frame may succeed later, `retryAfterMs` when.',
    schemas: ['ErrorFrame'],
  },
  bye: {
    summary: 'The server closes next',
    description:
      'The last frame of a connection. `reconnect` says whether to come back; unknown codes are understood by it.',
    schemas: ['Bye'],
  },
};
