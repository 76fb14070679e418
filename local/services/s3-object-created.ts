/** An object has been created and can be read: what S3 tells EventBridge (S3UG:ev-events; aws-facts 4). */
export interface ObjectCreated {
  readonly bucket: string;
  /** As it is, not encoded. */
  readonly key: string;
  /** Bytes. */
  readonly size: number;
  /** Without quotes. */
  readonly etag: string;
  readonly reason: ObjectCreatedReason;
  /** The account of whoever signed the request. */
  readonly requester: string;
  readonly sourceIp: string;
  /** Grows with every event; compared as text. */
  readonly sequencer: string;
  readonly requestId: string;
  /** Milliseconds since the epoch. */
  readonly time: number;
}

/** Which call created the object. */
export type ObjectCreatedReason = 'PutObject' | 'POST Object' | 'CopyObject' | 'CompleteMultipartUpload';

/** Makes sequencers: 18 hexadecimal digits that only grow, also over restarts while the clock does. */
export function sequencers(now: () => number): () => string {
  let last = 0n;
  return () => {
    const next = BigInt(now()) * 4096n;
    last = next > last ? next : last + 1n;
    return last.toString(16).toUpperCase().padStart(18, '0');
  };
}
