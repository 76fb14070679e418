import type { ServerFrame, UnsubscribeFrame } from '../../protocol/frames.ts';
import type { TicketScope } from '../ports.ts';
import type { SocketDependencies } from './dependencies.ts';
import { jobTopic, ownTopic } from './scope.ts';

/**
 * Answers `unsubscribe`. What the connection did not watch, it does not watch afterwards either: no error.
 * @throws FrameError `forbidden` for a topic where the ticket is for one job; UnavailableError.
 */
export async function unsubscribe(
  { connection, scope }: { readonly connection: string; readonly scope: TicketScope },
  frame: UnsubscribeFrame,
  { subscriptions }: SocketDependencies,
): Promise<ServerFrame> {
  const topic = 'topic' in frame ? ownTopic(scope, frame.topic, frame.id) : jobTopic(frame.job);
  await subscriptions.remove(topic, connection);
  return { type: 'unsubscribed', id: frame.id };
}
