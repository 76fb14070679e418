/** As much of a package without types as s3-store.ts and its neighbours use. */

declare module '@20minutes/s3rver' {
  import type { EventEmitter } from 'node:events';
  import type { IncomingMessage, ServerResponse } from 'node:http';
  import type { Readable } from 'node:stream';

  namespace S3rver {
    interface StoredMetadata {
      /** Quoted. */
      readonly etag: string;
      readonly 'content-length': number;
      readonly 'last-modified': string;
      readonly [header: string]: string | number;
    }
    interface ObjectToStore {
      readonly bucket: string;
      readonly key: string;
      readonly content: Readable | Buffer;
      readonly metadata: Readonly<Record<string, unknown>>;
    }
    interface StoredContent {
      readonly size: number;
      readonly md5: string;
    }
    interface Part {
      readonly number: number;
      readonly etag: string;
    }
    interface ReadObject {
      readonly metadata: StoredMetadata;
      readonly size: number;
      readonly lastModifiedDate: Date;
      content: Readable | null;
      range?: { readonly start: number; readonly end: number };
    }
    interface Store {
      getResourcePath(bucket: string, key: string | undefined, resource: string): string;
      getMetadata(bucket: string, key: string): Promise<StoredMetadata>;
      putMetadata(
        this: Pick<Store, 'getResourcePath'>,
        bucket: string,
        key: string,
        metadata: object,
        md5: string,
      ): Promise<void>;
      getObject(
        bucket: string,
        key: string,
        options?: { start?: number; end?: number },
      ): Promise<ReadObject | null>;
      putBucket(bucket: string): Promise<unknown>;
      putContent(path: string, content: Readable | Buffer): Promise<[size: number, md5: string]>;
      putObject(object: ObjectToStore): Promise<StoredContent>;
      copyObject(
        sourceBucket: string,
        sourceKey: string,
        bucket: string,
        key: string,
        metadata: object | null,
      ): Promise<StoredMetadata>;
      putObjectMultipart(bucket: string, uploadId: string, parts: readonly Part[]): Promise<StoredContent>;
    }
    interface Context {
      readonly req: IncomingMessage;
      readonly res: ServerResponse;
      readonly state: Record<string, unknown>;
    }
  }

  class S3rver extends EventEmitter {
    constructor(options: { directory: string; silent: boolean; vhostBuckets: boolean });
    readonly store: S3rver.Store;
    readonly context: { onerror: (this: S3rver.Context, error: Error | null) => void };
    readonly middleware: ((context: S3rver.Context, next: () => Promise<void>) => Promise<void>)[];
    readonly logger: { readonly exceptions: { unhandle(): void }; close(): void };
    callback(): (request: IncomingMessage, response: ServerResponse) => Promise<void>;
    on(event: 'error', listener: (error: Error, context: S3rver.Context) => void): this;
  }
  export = S3rver;
}
