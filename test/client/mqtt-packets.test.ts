import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  connectPacket,
  createPacketReader,
  disconnectPacket,
  MAXIMUM_PACKET_BYTES,
  MqttError,
  type MqttPacket,
  pingPacket,
  pubackPacket,
  subscribePacket,
} from '../../client/mqtt-packets.ts';

/** The codec that the package `mqtt` comes with: a second opinion, of people who never saw ours. */
interface OtherCodec {
  generate(packet: object): Buffer;
  parser(options: object): {
    on(event: 'packet', listener: (packet: OtherPacket) => void): void;
    on(event: 'error', listener: (error: Error) => void): void;
    parse(bytes: Buffer): void;
  };
}
interface OtherPacket {
  readonly cmd: string;
  readonly returnCode?: number;
  readonly sessionPresent?: boolean;
  readonly topic?: string;
  readonly payload?: Buffer;
  readonly qos?: number;
  readonly messageId?: number;
  readonly granted?: readonly number[];
  readonly retain?: boolean;
}
const ofMqtt = createRequire(createRequire(import.meta.url).resolve('mqtt'));
const other = ofMqtt('mqtt-packet') as OtherCodec; // its documented API, as far as it is used here

/** What the other codec reads. */
function readByOther(bytes: Uint8Array): { readonly packets: OtherPacket[]; readonly errors: Error[] } {
  const parser = other.parser({ protocolVersion: 4 });
  const packets: OtherPacket[] = [];
  const errors: Error[] = [];
  parser.on('packet', (packet) => packets.push(packet));
  parser.on('error', (error) => errors.push(error));
  parser.parse(Buffer.from(bytes));
  return { packets, errors };
}

/** A packet of the other codec as ours says it. */
function asOurs({
  cmd,
  returnCode,
  topic,
  payload,
  qos,
  messageId,
  granted,
  retain,
}: OtherPacket): MqttPacket {
  if (cmd === 'connack') return { type: 'connack', code: returnCode ?? -1 };
  if (cmd === 'suback') return { type: 'suback', id: messageId ?? -1, granted: granted ?? [] };
  if (cmd === 'pingresp') return { type: 'pingresp' };
  if (cmd !== 'publish') throw new Error(`a ${cmd} is nothing that a broker sends to a subscriber`);
  const retained = retain ?? false;
  const message = {
    type: 'publish',
    topic: topic ?? '',
    payload: new Uint8Array(payload ?? []),
    retained,
  } as const;
  return qos === 0 ? message : { ...message, id: messageId ?? -1 };
}

function readInPieces(bytes: Uint8Array, cuts: readonly number[]): MqttPacket[] {
  const read = createPacketReader();
  const places = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length];
  return places
    .slice(1)
    .flatMap((place, index) => read(bytes.subarray(places[index], place)))
    .map((packet) => (packet.type === 'publish' ? { ...packet, payload: packet.payload.slice() } : packet));
}

const ids = fc.integer({ min: 1, max: 65_535 });
const topics = fc
  .string({ unit: 'binary', minLength: 1, maxLength: 60 })
  .filter((topic) => !/[#+\0]/.test(topic));
const packets = fc.oneof(
  fc.record({ cmd: fc.constant('connack'), returnCode: fc.nat(5), sessionPresent: fc.constant(false) }),
  fc.record({
    cmd: fc.constant('publish'),
    topic: topics,
    payload: fc
      .oneof(
        fc.uint8Array({ maxLength: 300 }),
        fc.integer({ min: 16_200, max: 16_500 }).map((length) => new Uint8Array(length).fill(length)),
      )
      .map((bytes) => Buffer.from(bytes)),
    qos: fc.constantFrom(0, 1),
    messageId: ids,
    retain: fc.boolean(),
    dup: fc.constant(false),
  }),
  fc.record({
    cmd: fc.constant('suback'),
    messageId: ids,
    granted: fc.array(fc.constantFrom(0, 1, 2, 0x80), { minLength: 1, maxLength: 3 }),
  }),
  fc.constant({ cmd: 'pingresp' }),
);

describe('the reader of packets', () => {
  it('reads whatever a broker may say, divided anywhere, as another codec does', () => {
    fc.assert(
      fc.property(fc.array(packets, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 8 }), (said, cuts) => {
        const bytes = Buffer.concat(said.map((packet) => other.generate(packet)));
        const { packets: expected, errors } = readByOther(bytes);
        expect(errors).toEqual([]);
        expect(readInPieces(bytes, cuts)).toEqual(expected.map(asOurs));
      }),
      { numRuns: 300 },
    );
  });

  it('throws its own error for what is no packet, and reads nothing that another codec reads otherwise', () => {
    // Bytes that look like packets, since random ones hardly do.
    const likely = fc
      .tuple(
        fc.constantFrom(
          0x20,
          0x30,
          0x31,
          0x32,
          0x33,
          0x34,
          0x36,
          0x38,
          0x3a,
          0x90,
          0xd0,
          0x21,
          0x62,
          0x10,
          0xf0,
        ),
        fc.uint8Array({ maxLength: 20 }),
        fc.constantFrom(0, 0, 0, 1, -1),
      )
      .map(([head, body, off]) => Uint8Array.of(head, Math.max(0, body.length + off), ...body));
    fc.assert(
      fc.property(fc.oneof(likely, fc.uint8Array({ maxLength: 30 })), (bytes) => {
        let ours: readonly MqttPacket[];
        try {
          ours = createPacketReader()(bytes);
        } catch (error) {
          expect(error).toBeInstanceOf(MqttError);
          return;
        }
        // What follows the last whole packet the other may refuse at its first byte already.
        const { packets: theirs } = readByOther(bytes);
        expect(theirs.slice(0, ours.length).map(asOurs)).toEqual(
          ours.map((each) => (each.type === 'publish' ? { ...each, payload: each.payload.slice() } : each)),
        );
      }),
      { numRuns: 3_000 },
    );
  });

  it.each([
    ['a length of five bytes', [0x30, 0xff, 0xff, 0xff, 0xff, 0x01]],
    ['a packet that would fill the memory', [0x30, 0xff, 0xff, 0xff, 0x7f]],
    ['a message of QoS 2', [0x34, 5, 0, 1, 97, 0, 1]],
    ['a message of QoS 1 without a number', [0x32, 5, 0, 1, 97, 0, 0]],
    ['a topic that ends after its packet', [0x30, 3, 0, 9, 97]],
    ['a topic that is no UTF-8', [0x30, 4, 0, 2, 0xc3, 0x28]],
    ['a session where none was asked for', [0x20, 2, 1, 0]],
    ['what only a client says', [0x82, 6, 0, 1, 0, 1, 97, 1]],
  ])('refuses %s', (_what, bytes) => {
    expect(() => createPacketReader()(Uint8Array.from(bytes))).toThrow(MqttError);
  });

  it('takes a message as large as AWS IoT Core lets through', () => {
    const payload = Buffer.alloc(131_072, 'x');
    const bytes = other.generate({
      cmd: 'publish',
      topic: `jobwire/jobs/${'j'.repeat(30)}`,
      payload,
      qos: 0,
    });
    expect(bytes.length).toBeLessThan(MAXIMUM_PACKET_BYTES);
    expect(createPacketReader()(bytes)).toMatchObject([
      { type: 'publish', payload: new Uint8Array(payload) },
    ]);
  });
});

describe('what a subscriber says', () => {
  it('is what another codec reads', () => {
    const texts = fc
      .string({ unit: 'binary', minLength: 1, maxLength: 200 })
      .filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(texts, texts, ids, topics, (username, password, id, topic) => {
        const connect = { clientId: 'abc123', username, password, keepAliveSeconds: 120 };
        const { packets: read, errors } = readByOther(
          Buffer.concat([
            connectPacket(connect),
            subscribePacket(id, topic),
            pubackPacket(id),
            pingPacket(),
            disconnectPacket(),
          ]),
        );
        expect(errors).toEqual([]);
        expect(read).toMatchObject([
          {
            cmd: 'connect',
            protocolId: 'MQTT',
            protocolVersion: 4,
            clean: true,
            keepalive: 120,
            clientId: 'abc123',
            username,
            password: Buffer.from(password),
          },
          { cmd: 'subscribe', messageId: id, subscriptions: [{ topic, qos: 1 }] },
          { cmd: 'puback', messageId: id },
          { cmd: 'pingreq' },
          { cmd: 'disconnect' },
        ]);
      }),
      { numRuns: 200 },
    );
  });
});
