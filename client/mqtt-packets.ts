/**
 * What a subscriber of MQTT 3.1.1 says and hears, as bytes (OASIS, "MQTT Version 3.1.1", chapters 2 and 3; a number in
 * a comment is a section of it). No sessions, no wills, nothing that is published: a watch only listens.
 */

/** A packet of the broker. */
export type MqttPacket =
  /** Whether it takes the client (`code` 0), or why not (3.2.2.3). */
  | { readonly type: 'connack'; readonly code: number }
  /**
   * `retained`: said because of a subscription, not of a change (3.3.1.3). `id` with QoS 1 alone: what the client
   * confirms.
   */
  | {
      readonly type: 'publish';
      readonly topic: string;
      readonly payload: Uint8Array;
      readonly retained: boolean;
      readonly id?: number;
    }
  /** By topic the QoS that is granted, or 0x80: refused (3.9.3). */
  | { readonly type: 'suback'; readonly id: number; readonly granted: readonly number[] }
  | { readonly type: 'pingresp' };

/** What came is no packet that a broker may send to this client. */
export class MqttError extends Error {
  override readonly name = 'MqttError';
}

/** What a broker grants nothing with (3.9.3). */
export const REFUSED_SUBSCRIPTION = 0x80;

/**
 * The most bytes of a packet after its length: AWS IoT Core's largest message, 128 KB, with room for the topic
 * (https://docs.aws.amazon.com/general/latest/gr/iot-core.html#message-broker-limits). Who says more would fill the
 * memory of a page.
 */
export const MAXIMUM_PACKET_BYTES = 131_072 + 1_024;

/** Asks for a connection without a session that would outlive it. `keepAliveSeconds` of silence end it, by half more. */
export function connectPacket(options: {
  readonly clientId: string;
  readonly username: string;
  readonly password: string;
  readonly keepAliveSeconds: number;
}): Uint8Array {
  const { clientId, username, password, keepAliveSeconds } = options;
  return packet(
    0x10,
    text('MQTT'),
    // Level 4 is 3.1.1; the flags are user name, password and clean session (3.1.2).
    [4, 0b1100_0010],
    word(keepAliveSeconds),
    text(clientId),
    text(username),
    text(password),
  );
}

/** Asks for a topic with QoS 1; what the broker retains of it comes at once, also where it was subscribed before. */
export function subscribePacket(id: number, topic: string): Uint8Array {
  return packet(0x82, word(id), text(topic), [1]);
}

/** Confirms a message of QoS 1. */
export function pubackPacket(id: number): Uint8Array {
  return packet(0x40, word(id));
}

/** Asks whether the broker is there. */
export function pingPacket(): Uint8Array {
  return packet(0xc0);
}

/** Says good-bye. */
export function disconnectPacket(): Uint8Array {
  return packet(0xe0);
}

/**
 * Reads a stream of bytes, divided anywhere: what comes may end in the middle of a packet, or hold several (MQTT over
 * WebSockets promises neither, 6.0). Gives the packets that are whole, in order.
 * @returns a function that throws MqttError, after which it must not be called again
 */
export function createPacketReader(): (bytes: Uint8Array) => readonly MqttPacket[] {
  let rest: Uint8Array = new Uint8Array();
  return (bytes) => {
    rest = joined([rest, bytes]);
    const packets: MqttPacket[] = [];
    for (;;) {
      const frame = firstFrame(rest);
      if (frame === undefined) return packets;
      packets.push(readPacket(rest[0] ?? 0, rest.subarray(frame.from, frame.to)));
      rest = rest.subarray(frame.to);
    }
  };
}

/** Where the body of the first packet lies; undefined until all of it is there. */
function firstFrame(bytes: Uint8Array): { readonly from: number; readonly to: number } | undefined {
  let length = 0;
  for (let index = 1; index <= 4; index += 1) {
    const digit = bytes[index];
    if (digit === undefined) return undefined;
    length += (digit & 0x7f) * 128 ** (index - 1);
    if (digit < 0x80) {
      if (length > MAXIMUM_PACKET_BYTES) throw new MqttError(`a packet of ${length} bytes`);
      const from = index + 1;
      return bytes.length < from + length ? undefined : { from, to: from + length };
    }
  }
  throw new MqttError('a length of more than four bytes');
}

function readPacket(head: number, body: Uint8Array): MqttPacket {
  const type = head >> 4;
  if (type === 3) return readPublish(head & 0xf, body);
  if ((head & 0xf) !== 0) throw new MqttError(`reserved flags of a packet of type ${type}`);
  // The first byte says whether there is a session: with a clean one a broker has none (3.2.2.2).
  if (type === 2 && body.length === 2 && body[0] === 0) return { type: 'connack', code: wordAt(body, 0) };
  // Any other answer is reserved (3.9.3).
  const granted = [...body.subarray(2)];
  if (
    type === 9 &&
    granted[0] !== undefined &&
    granted.every((each) => each < 3 || each === REFUSED_SUBSCRIPTION)
  ) {
    return { type: 'suback', id: wordAt(body, 0), granted };
  }
  if (type === 13 && body.length === 0) return { type: 'pingresp' };
  throw new MqttError(`a packet of type ${type} and ${body.length} bytes`);
}

function readPublish(flags: number, body: Uint8Array): MqttPacket {
  const qos = (flags >> 1) & 3;
  // A broker grants no more than was asked for.
  if (qos > 1) throw new MqttError(`a message of QoS ${qos}`);
  const end = 2 + wordAt(body, 0);
  if (end > body.length) throw new MqttError('a topic that is longer than its packet');
  const topic = decode(body.subarray(2, end));
  const retained = (flags & 1) === 1;
  if (qos === 0) return { type: 'publish', topic, payload: body.subarray(end), retained };
  const id = wordAt(body, end);
  if (id === 0) throw new MqttError('a message of QoS 1 without a number'); // 2.3.1
  return { type: 'publish', topic, payload: body.subarray(end + 2), retained, id };
}

/**
 * The text of UTF-8 bytes.
 * @throws MqttError where they are none
 */
export function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch (cause) {
    throw new MqttError('a text that is not UTF-8', { cause });
  }
}

function wordAt(bytes: Uint8Array, at: number): number {
  const high = bytes[at];
  const low = bytes[at + 1];
  if (high === undefined || low === undefined) throw new MqttError('a packet that ends too early');
  return high * 256 + low;
}

function packet(head: number, ...parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const body = joined(parts);
  const length: number[] = [];
  let left = body.length;
  do {
    const digit = left % 128;
    left = Math.floor(left / 128);
    length.push(left > 0 ? digit + 128 : digit);
  } while (left > 0);
  return joined([[head, ...length], body]);
}

function joined(parts: readonly (readonly number[] | Uint8Array)[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function word(value: number): readonly number[] {
  return [value >> 8, value & 0xff];
}

function text(value: string): Uint8Array {
  const bytes = new TextEncoder().encode(value);
  return joined([word(bytes.length), bytes]);
}
