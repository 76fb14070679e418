import { randomUUID } from 'node:crypto';
import { ACCOUNT, REGION } from '../account.ts';
import type { ObjectCreated, ObjectCreatedReason } from '../services/s3-object-created.ts';
import type { BusEvent } from './rule.ts';

/** The detail of `Object Created`. */
export interface ObjectCreatedDetail {
  readonly version: '0';
  readonly bucket: { readonly name: string };
  readonly object: {
    readonly key: string;
    readonly size: number;
    readonly etag: string;
    /** Hexadecimal; larger for a later write of the same key. */
    readonly sequencer: string;
  };
  readonly 'request-id': string;
  readonly requester: string;
  readonly 'source-ip-address': string;
  readonly reason: ObjectCreatedReason;
}

/** The event that S3 puts on the default bus for a new object (aws-facts 4). */
export function buildObjectCreatedEvent(
  object: ObjectCreated,
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
        sequencer: object.sequencer,
      },
      'request-id': object.requestId,
      requester: object.requester,
      'source-ip-address': object.sourceIp,
      reason: object.reason,
    },
  };
}
