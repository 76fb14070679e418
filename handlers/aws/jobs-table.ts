import { randomUUID } from 'node:crypto';
import {
  BatchGetItemCommand,
  type DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import * as v from 'valibot';
import { JobIdSchema } from '../../protocol/job.ts';
import {
  ChangeRefusedError,
  JobExistsError,
  JobNotFoundError,
  MalformedDataError,
  UnavailableError,
} from '../errors.ts';
import { isMadeAlready, refusalOf } from '../job-change.ts';
import { checkFields, checkNewJob } from '../job-fields.ts';
import type { JobChange, JobRecord, JobRecordPage, Jobs, NewJob } from '../ports.ts';
import { chunksOf, repeatUntilDone } from './back-off.ts';
import { askDynamoDb, isConditionRefusal, translateDynamoDbError } from './dynamodb-error.ts';
import { type Item, newJobItem, readJobItem, toAttributes } from './job-item.ts';
import { jobUpdate } from './job-update.ts';
import { listJobs } from './jobs-by-owner.ts';

/** The most keys of one BatchGetItem (DynamoDB API reference, BatchGetItem). */
const MAXIMUM_BATCH_GET = 100;

/** What the table is called, and who is told of an item that cannot be read. */
export interface JobsTableSettings {
  readonly client: DynamoDBClient;
  readonly tableName: string;
  /** The index by owner and creation time; only `list` needs it. */
  readonly ownerIndexName?: string;
  /**
   * Told of a malformed item that a batch or page leaves out, so that it spoils no other; by default a
   * warning of the process, which Lambda logs.
   */
  readonly onMalformed?: (error: MalformedDataError) => void;
}

/**
 * `Jobs` in a DynamoDB table.
 *
 * The SDK repeats a write whose answer was lost, though it may have been committed. Each write therefore
 * bears an id that is stored with it (`lastChange`): a refused repetition that finds its own id has
 * succeeded. A caller that repeats a change itself is helped by `isMadeAlready`. Neither can enter a status
 * twice, so no history entry is ever doubled.
 */
export class JobsTable implements Jobs {
  readonly #settings: JobsTableSettings;
  readonly #onMalformed: (error: MalformedDataError) => void;

  constructor(settings: JobsTableSettings) {
    this.#settings = settings;
    this.#onMalformed = settings.onMalformed ?? ((error) => process.emitWarning(error));
  }

  async create(newJob: NewJob): Promise<JobRecord> {
    const item = newJobItem(checkNewJob(newJob), randomUUID());
    try {
      await this.#settings.client.send(
        new PutItemCommand({
          TableName: this.#settings.tableName,
          Item: item,
          ConditionExpression: 'attribute_not_exists(#job)',
          ExpressionAttributeNames: { '#job': 'job' },
          ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
        }),
      );
    } catch (error) {
      if (!isConditionRefusal(error) || error.Item === undefined) throw translateDynamoDbError(error);
      if (!bearsChange(error.Item, item['lastChange']?.S)) {
        throw new JobExistsError(readJobItem(error.Item), { cause: error });
      }
    }
    return readJobItem(item);
  }

  async read(id: string): Promise<JobRecord | undefined> {
    if (!v.is(JobIdSchema, id)) return undefined; // an empty or huge key would be a ValidationException
    const { Item } = await askDynamoDb(() =>
      this.#settings.client.send(
        new GetItemCommand({
          TableName: this.#settings.tableName,
          Key: toAttributes({ job: id }),
          ConsistentRead: true,
        }),
      ),
    );
    return Item === undefined ? undefined : readJobItem(Item);
  }

  async readMany(ids: readonly string[]): Promise<readonly JobRecord[]> {
    const keys = [...new Set(ids)].filter((id) => v.is(JobIdSchema, id)).map((job) => toAttributes({ job }));
    const chunks = await Promise.all(
      chunksOf(keys, MAXIMUM_BATCH_GET).map((chunk) => this.#readChunk(chunk)),
    );
    return this.#readable(chunks.flat());
  }

  async change(id: string, asked: JobChange): Promise<JobRecord> {
    const change = { ...asked, set: checkFields(asked.set ?? {}) };
    const changeId = randomUUID();
    const update = jobUpdate(this.#settings.tableName, id, change, changeId);
    if (!v.is(JobIdSchema, id)) throw new JobNotFoundError(id);
    if (update === undefined) throw await this.#refusalOfNoStatus(id, change);
    try {
      const { Attributes } = await this.#settings.client.send(new UpdateItemCommand(update));
      return readJobItem(Attributes);
    } catch (error) {
      if (error instanceof MalformedDataError) throw error;
      if (!isConditionRefusal(error)) throw translateDynamoDbError(error);
      if (error.Item === undefined) throw new JobNotFoundError(id, { cause: error });
      const current = readJobItem(error.Item);
      if (bearsChange(error.Item, changeId) || isMadeAlready(current, change)) return current;
      // A condition that failed though every clause holds can only be NOT_MADE_YET, which was just asked.
      throw new ChangeRefusedError(refusalOf(current, change) ?? 'seq', current, change.to, { cause: error });
    }
  }

  async list(
    owner: string,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<JobRecordPage> {
    const { ids, cursor } = await listJobs(this.#settings, owner, page);
    const found = new Map((await this.readMany(ids)).map((record) => [record.job.id, record]));
    const records = ids.flatMap((id) => found.get(id) ?? []);
    return cursor === undefined ? { records } : { records, cursor };
  }

  async #readChunk(keys: readonly Item[]): Promise<readonly Item[]> {
    const { client, tableName } = this.#settings;
    const items: Item[] = [];
    const left = await repeatUntilDone(keys, async (rest) => {
      const answer = await askDynamoDb(() =>
        client.send(
          new BatchGetItemCommand({
            RequestItems: { [tableName]: { Keys: [...rest], ConsistentRead: true } },
          }),
        ),
      );
      items.push(...(answer.Responses?.[tableName] ?? []));
      return answer.UnprocessedKeys?.[tableName]?.Keys ?? [];
    });
    if (left.length > 0) throw new UnavailableError('DynamoDB');
    return items;
  }

  async #refusalOfNoStatus(id: string, change: JobChange): Promise<JobNotFoundError | ChangeRefusedError> {
    const current = await this.read(id);
    if (current === undefined) return new JobNotFoundError(id);
    return new ChangeRefusedError(refusalOf(current, change) ?? 'status', current, change.to);
  }

  #readable(items: readonly Item[]): readonly JobRecord[] {
    return items.flatMap((item) => {
      try {
        return [readJobItem(item)];
      } catch (error) {
        if (!(error instanceof MalformedDataError)) throw error;
        this.#onMalformed(error);
        return [];
      }
    });
  }
}

function bearsChange(item: Item, changeId: string | undefined): boolean {
  return changeId !== undefined && item['lastChange']?.S === changeId;
}
