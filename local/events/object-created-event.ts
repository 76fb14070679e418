import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../account.ts';
import type { BusEvent } from './rule.ts';

/** How an object came to be (S3UG:ev-events; a presigned POST says `POST Object`). */
export type ObjectCreatedReason = 'PutObject' | 'POST Object' | 'CopyObject' | 'CompleteMultipartUpload';

/** An object that was just written. */
export interface CreatedObject {
  readonly bucket: string;
  /** As it is, not encoded (aws-facts 4). */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without quotes; of a multipart upload with its `-N`. */
  readonly etag: string;
  /** Absent in a bucket without versions. */
  readonly versionId?: string;
  readonly reason: ObjectCreatedReason;
  readonly requestId: string;
  /** Account id of who wrote it. */
  readonly requester?: string;
  readonly sourceIpAddress?: string;
  /** Of the write, in milliseconds since the epoch. */
  readonly time: number;
}

/** The detail of `Object Created`. */
export interface ObjectCreatedDetail {
  readonly version: '0';
  readonly bucket: { readonly name: string };
  readonly object: {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    readonly 'version-id'?: string;
    /** Hexadecimal; larger for a later write of the same key. */
    readonly sequencer: string;
  };
  readonly 'request-id': string;
  readonly requester: string;
  readonly 'source-ip-address': string;
  readonly reason: ObjectCreatedReason;
}

let lastSequence = 0n;

/** Sixteen hexadecimal digits that grow with every write, over restarts too as they begin with the time. */
function nextSequencer(time: number): string {
  const fromTime = BigInt(Math.trunc(time)) << 16n;
  lastSequence = fromTime > lastSequence ? fromTime : lastSequence + 1n;
  return lastSequence.toString(16).toUpperCase().padStart(16, '0');
}

/** The event that S3 puts on the default bus for a new object (aws-facts 4). */
export function buildObjectCreatedEvent(
  object: CreatedObject,
): BusEvent & { readonly detail: ObjectCreatedDetail } {
  return {
    version: '0',
    id: randomUUID(),
    'detail-type': 'Object Created',
    source: 'aws.s3',
    account: ACCOUNT,
    time: new Date(object.time).toISOString().replace(/\.\d+Z$/, 'Z'),
    region: REGION,
    resources: [`arn:aws:s3:::${object.bucket}`],
    detail: {
      version: '0',
      bucket: { name: object.bucket },
      object: {
        key: object.key,
        size: object.size,
        etag: object.etag,
        ...(object.versionId !== undefined && { 'version-id': object.versionId }),
        sequencer: nextSequencer(object.time),
      },
      'request-id': object.requestId,
      requester: object.requester ?? ACCOUNT,
      'source-ip-address': object.sourceIpAddress ?? '127.0.0.1',
      reason: object.reason,
    },
  };
}
