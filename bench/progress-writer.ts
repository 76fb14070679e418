import { createHmac, hash, randomUUID } from 'node:crypto';
import { Pool } from 'undici';
import { jobUpdate } from '../handlers/aws/job-update.ts';
import type { JobChange } from '../handlers/ports.ts';
import { InvariantError } from './measure.ts';
import type { RuntimeFacts } from './runtime-process.ts';

/** Requests under way at a time; changes come one by one, so that more are only needed where answers are late. */
const CONNECTIONS = 16;

const TARGET = 'DynamoDB_20120810.UpdateItem';

/**
 * Writes what `JobsTable.change` writes, without the SDK: where load and runtime share two cores, a millisecond of
 * processor time for each write would be taken from what is measured.
 */
export class ProgressWriter {
  readonly #facts: RuntimeFacts;
  readonly #pool: Pool;
  readonly #host: string;

  constructor(facts: RuntimeFacts) {
    this.#facts = facts;
    const { origin, host } = new URL(facts.administration.dynamoDb);
    this.#host = host;
    this.#pool = new Pool(origin, { connections: CONNECTIONS });
  }

  /** @throws InvariantError when the write is refused. */
  async change(id: string, change: JobChange): Promise<void> {
    const update = jobUpdate(this.#facts.jobsTable, id, change, randomUUID());
    const body = JSON.stringify(update);
    const answer = await this.#pool.request({ path: '/', method: 'POST', headers: this.#sign(body), body });
    const text = await answer.body.text();
    if (answer.statusCode !== 200) throw new InvariantError(`A write was refused: ${text}`);
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  /** Signature Version 4 of a request that differs in its time and body alone. */
  #sign(body: string): Record<string, string> {
    const { region, credentials } = this.#facts.administration;
    const time = new Date().toISOString().replace(/[-:]|\.\d{3}/g, '');
    const scope = [time.slice(0, 8), region, 'dynamodb', 'aws4_request'];
    const signed = 'host;x-amz-date;x-amz-target';
    const canonical = [
      ...['POST', '/', ''],
      ...[`host:${this.#host}`, `x-amz-date:${time}`, `x-amz-target:${TARGET}`, ''],
      ...[signed, hash('sha256', body)],
    ].join('\n');
    const text = ['AWS4-HMAC-SHA256', time, scope.join('/'), hash('sha256', canonical)].join('\n');
    const digest = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
    const key = scope.reduce<string | Buffer>(digest, `AWS4${credentials.secretAccessKey}`);
    const credential = `${credentials.accessKeyId}/${scope.join('/')}`;
    const signature = digest(key, text).toString('hex');
    return {
      host: this.#host,
      'content-type': 'application/x-amz-json-1.0',
      'x-amz-date': time,
      'x-amz-target': TARGET,
      authorization: `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signed}, Signature=${signature}`,
    };
  }
}
