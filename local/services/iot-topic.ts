import { ACCOUNT, REGION } from '../account.ts';
import { MAXIMUM_TOPIC_BYTES, MAXIMUM_TOPIC_SLASHES } from './iot-limits.ts';

/** The ARN of a resource of IoT Core: `client/<id>`, `topic/<topic>`, `topicfilter/<filter>`. */
export function iotArn(resource: string): string {
  return `arn:aws:iot:${REGION}:${ACCOUNT}:${resource}`;
}

/** Why something is no topic that can be published to; undefined if it is one. */
export function topicProblem(topic: string): string | undefined {
  return /[+#]/.test(topic) ? 'a topic has no wildcards' : filterProblem(topic);
}

/** Why something is no topic filter; undefined if it is one. Topics of AWS itself are not kept here. */
export function filterProblem(filter: string): string | undefined {
  if (filter === '') return 'a topic is not empty';
  if (filter.startsWith('$')) return 'topics that begin with $ are reserved';
  if (filter.includes('\0')) return 'a topic has no null character';
  if (Buffer.byteLength(filter) > MAXIMUM_TOPIC_BYTES)
    return `a topic has at most ${MAXIMUM_TOPIC_BYTES} bytes`;
  if (filter.split('/').length - 1 > MAXIMUM_TOPIC_SLASHES)
    return `a topic has at most ${MAXIMUM_TOPIC_SLASHES} slashes`;
  return undefined;
}
