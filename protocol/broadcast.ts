/**
 * The MQTT topic on which the states of one job are broadcast. Its retained message is the newest state, so whoever
 * subscribes has that first; it is emptied when the job is gone.
 */
export function broadcastTopic(job: string): string {
  return `jobwire/jobs/${job}`;
}

/**
 * With what the client id of everybody begins who subscribes to the topic of a job. A broker ends the older of two
 * connections with one id, so a ticket allows no other ids: the account's other clients are none of its business.
 */
export function broadcastClientIdPrefix(job: string): string {
  return `${job}-`;
}
