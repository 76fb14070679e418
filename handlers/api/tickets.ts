import { broadcastClientIdPrefix, broadcastTopic } from '../../protocol/broadcast.ts';
import { SUBPROTOCOL, TICKET_SUBPROTOCOL_PREFIX } from '../../protocol/frames.ts';
import type { Broadcast, Ticket, Watch } from '../../protocol/http.ts';
import type { TicketScope } from '../ports.ts';
import { subjectOf } from './caller.ts';
import type { ApiContext, ApiDependencies } from './dependencies.ts';
import { readCallersJob } from './job-access.ts';
import { jsonResponse } from './responses.ts';

/** What it takes to connect once within the scope, and when (RFC 3339) the ticket ends. */
export async function issueWatch(
  scope: TicketScope,
  { tokens, socketUrl, broadcast }: Pick<ApiDependencies, 'tokens' | 'socketUrl' | 'broadcast'>,
): Promise<{ readonly watch: Watch; readonly expiresAt: string }> {
  const { ticket, expiresAt } = await tokens.issueTicket(scope);
  const protocols = [SUBPROTOCOL, `${TICKET_SUBPROTOCOL_PREFIX}${ticket}`];
  return {
    watch: { url: socketUrl, ticket, protocols, ...broadcastOf(scope, broadcast) },
    expiresAt,
  };
}

/** Where the states of the scope's job are broadcast; nothing for an owner's, whose jobs have no common topic. */
function broadcastOf(
  scope: TicketScope,
  broadcast: ApiDependencies['broadcast'],
): { readonly broadcast?: Broadcast } {
  if (broadcast === undefined || scope.kind !== 'job') return {};
  // IoT Core looks for the authorizer's name behind the user name, which itself says nothing (AWS IoT Developer Guide,
  // "Connecting to AWS IoT Core by using custom authentication").
  const username = `jobwire?x-amz-customauthorizer-name=${broadcast.authorizer}`;
  const clientIdPrefix = broadcastClientIdPrefix(scope.job);
  return { broadcast: { url: broadcast.url, username, clientIdPrefix, topic: broadcastTopic(scope.job) } };
}

/** `POST /jobs/{id}/tickets`: one more connect for one job, by its owner or with its token. */
export async function issueJobTicket(context: ApiContext, dependencies: ApiDependencies): Promise<Response> {
  const { job, owner } = await readCallersJob(context, dependencies);
  return await answerTicket({ kind: 'job', subject: owner, job: job.id }, dependencies);
}

/** `POST /tickets`: one connect for all of the caller's jobs, its `owner:me` and its tags. */
export async function issueOwnerTicket(
  context: ApiContext,
  dependencies: ApiDependencies,
): Promise<Response> {
  return await answerTicket({ kind: 'owner', subject: await subjectOf(context, dependencies) }, dependencies);
}

async function answerTicket(scope: TicketScope, dependencies: ApiDependencies): Promise<Response> {
  const { watch, expiresAt } = await issueWatch(scope, dependencies);
  return jsonResponse(201, { ...watch, expiresAt } satisfies Ticket);
}
