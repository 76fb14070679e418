import {
  type _Record,
  type DynamoDBStreamsClient,
  ExpiredIteratorException,
  GetRecordsCommand,
  GetShardIteratorCommand,
  TrimmedDataAccessException,
} from '@aws-sdk/client-dynamodb-streams';

/** Where to begin in a shard. */
export type ShardPosition =
  | { readonly type: 'TRIM_HORIZON' | 'LATEST' }
  | { readonly type: 'AFTER_SEQUENCE_NUMBER'; readonly sequenceNumber: string };

/** A page of a shard. */
export interface ShardPage {
  readonly records: readonly _Record[];
  /** The shard is closed and was read to its end. */
  readonly ended: boolean;
}

/** Reads one shard from a position to its end. */
export class ShardReader {
  readonly #client: DynamoDBStreamsClient;
  readonly #streamArn: string;
  readonly #shardId: string;
  #position: ShardPosition;
  #iterator: string | undefined;

  constructor(client: DynamoDBStreamsClient, streamArn: string, shardId: string, position: ShardPosition) {
    this.#client = client;
    this.#streamArn = streamArn;
    this.#shardId = shardId;
    this.#position = position;
  }

  /**
   * Fixes the position: what is written after this is read. `read` does it too. Rejects with the SDK's error.
   */
  async open(signal: AbortSignal): Promise<void> {
    try {
      this.#iterator ??= await this.#iteratorAt(this.#position, signal);
    } catch (error) {
      // The checkpoint is older than what the stream keeps (24 hours): go on with the oldest that is left.
      if (!(error instanceof TrimmedDataAccessException)) throw error;
      this.#iterator = await this.#iteratorAt({ type: 'TRIM_HORIZON' }, signal);
    }
  }

  /** The next page, possibly empty. Rejects with the SDK's error; may be called again then. */
  async read(signal: AbortSignal): Promise<ShardPage> {
    await this.open(signal);
    try {
      const command = new GetRecordsCommand({ ShardIterator: this.#iterator });
      const { Records: records = [], NextShardIterator } = await this.#client.send(command, {
        abortSignal: signal,
      });
      const sequenceNumber = records.at(-1)?.dynamodb?.SequenceNumber;
      if (sequenceNumber !== undefined) this.#position = { type: 'AFTER_SEQUENCE_NUMBER', sequenceNumber };
      this.#iterator = NextShardIterator;
      return { records, ended: NextShardIterator === undefined };
    } catch (error) {
      // An iterator lives for 15 minutes; one that a laptop's sleep outlived is got anew.
      if (!(error instanceof ExpiredIteratorException || error instanceof TrimmedDataAccessException))
        throw error;
      this.#iterator = undefined;
      return { records: [], ended: false };
    }
  }

  async #iteratorAt(position: ShardPosition, signal: AbortSignal): Promise<string | undefined> {
    const command = new GetShardIteratorCommand({
      StreamArn: this.#streamArn,
      ShardId: this.#shardId,
      ShardIteratorType: position.type,
      ...(position.type === 'AFTER_SEQUENCE_NUMBER' && { SequenceNumber: position.sequenceNumber }),
    });
    const { ShardIterator } = await this.#client.send(command, { abortSignal: signal });
    return ShardIterator;
  }
}
