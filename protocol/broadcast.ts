/**
 * The MQTT topic on which the states of one job are broadcast. Its retained message is the newest state, so whoever
 * subscribes has that first; it is emptied when the job is gone.
 */
export function broadcastTopic(job: string): string {
  return `jobwire/jobs/${job}`;
}
