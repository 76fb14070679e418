import { changesOf } from './changes.ts';
import type { Load } from './load.ts';
import { addPublisher } from './publisher.ts';
import { ACCESS_LOG_BYTES, OWN_MILLISECONDS, type Usage } from './usage.ts';
import type { Ways } from './ways.ts';

/** Bytes of one metered message (aws-facts 7). */
const METERED_BYTES = 5_120;

/**
 * What of MQTT is metered (https://aws.amazon.com/iot-core/pricing/additional-details/): a message that is retained
 * counts as two; one that is told at least once (QoS 1) is acknowledged by an MQTT 3.1.1 client with a message that
 * counts, too; pings do not count. A heartbeat without a state since the last one subscribes again, and is sent what
 * is retained (docs/decisions/0024).
 */
const MESSAGES = {
  publish: 2,
  tell: 2,
  /** CONNECT, SUBSCRIBE, and the retained state. */
  connect: 1 + 1 + 2,
  silentHeartbeat: 1 + 2,
} as const;

/** The age at which a client changes its connection, in minutes (client/timings.ts, `rotateMs`). */
const CONNECTION_MINUTES = 110;

/** What it takes when every watcher is told by the broker instead of the WebSocket API. */
export function addBroker(
  usage: Usage,
  load: Load,
  { jobs, ways, ticketBytes }: { readonly jobs: number; readonly ways: Ways; readonly ticketBytes: number },
): void {
  const watches = jobs * load.watchers;
  const changes = changesOf(load, ways);
  const bytes = load.stateKb * 1_024;
  const messages = Math.ceil(bytes / METERED_BYTES);
  const brokerMs = OWN_MILLISECONDS + load.requestMs;
  addPublisher(usage, { ...load, watchers: 0 }, jobs * changes, brokerMs);
  usage.add('streamReads', jobs * changes);

  // Everybody hears of every change but the creation, which is retained when they subscribe.
  const told = watches * (changes - 1);
  const connections = watches * (1 + Math.floor(load.watchMinutes / CONNECTION_MINUTES));
  const heartbeats = Math.floor((load.watchMinutes * 60) / load.pingSeconds);
  const silent = watches * Math.max(0, heartbeats - changes);
  usage.add(
    'brokerMessages',
    messages *
      (jobs * changes * MESSAGES.publish +
        told * MESSAGES.tell +
        connections * MESSAGES.connect +
        silent * MESSAGES.silentHeartbeat),
  );
  usage.add('brokerMinutes', watches * load.watchMinutes);
  usage.add('outGigabytes', ((told + connections + silent) * bytes) / 1e9);

  // Who made the job has a ticket already; the others, and each change of connection, need one.
  const tickets = connections - Math.min(jobs, watches);
  usage.call('POST /jobs/{id}/tickets', tickets, ticketBytes);
  // Behind SUBACK the job is read once.
  usage.call('GET /jobs/{id}', connections, bytes);
  usage.invoke('authorizeBroadcast', connections, OWN_MILLISECONDS);
  usage.add('logGigabytes', (connections * ACCESS_LOG_BYTES) / 1e9);
}
