import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import * as v from 'valibot';

/** The statuses of an execution (SFN API Reference, DescribeExecution). */
export const EXECUTION_STATUSES = ['RUNNING', 'SUCCEEDED', 'FAILED', 'TIMED_OUT', 'ABORTED'] as const;

/** See `EXECUTION_STATUSES`. */
export type ExecutionStatus = (typeof EXECUTION_STATUSES)[number];

/** An execution of a state machine, running or ended. */
export interface Execution {
  readonly arn: string;
  readonly stateMachineArn: string;
  readonly name: string;
  readonly status: ExecutionStatus;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Of one that has ended; milliseconds since the epoch. */
  readonly stoppedAt: number | undefined;
  /** JSON text, as it was sent. */
  readonly input: string;
  /** JSON text; of one that has succeeded. */
  readonly output: string | undefined;
  readonly error: string | undefined;
  readonly cause: string | undefined;
}

const OptionalText = v.pipe(
  v.nullable(v.string()),
  v.transform((value) => value ?? undefined),
);

const RowSchema = v.object({
  arn: v.string(),
  stateMachineArn: v.string(),
  name: v.string(),
  status: v.picklist(EXECUTION_STATUSES),
  startedAt: v.number(),
  stoppedAt: v.pipe(
    v.nullable(v.number()),
    v.transform((value) => value ?? undefined),
  ),
  input: v.string(),
  output: OptionalText,
  error: OptionalText,
  cause: OptionalText,
});

/** The names of ended executions can be given again after 90 days (SFN API Reference, StartExecution). */
const NAME_TAKEN_MS = 90 * 24 * 60 * 60_000;

/** Which executions there are and were, on disk: a name that was used starts nothing after a restart either. */
export class ExecutionStore {
  readonly #database: DatabaseSync;

  /** Opens the file, and forgets what has ended 90 days before `now`. */
  constructor(file: string, now: number) {
    mkdirSync(path.dirname(file), { recursive: true });
    this.#database = new DatabaseSync(file);
    this.#database.exec(`
      CREATE TABLE IF NOT EXISTS executions (
        arn TEXT PRIMARY KEY, stateMachineArn TEXT NOT NULL, name TEXT NOT NULL, status TEXT NOT NULL,
        startedAt INTEGER NOT NULL, stoppedAt INTEGER, input TEXT NOT NULL, output TEXT, error TEXT, cause TEXT
      ) STRICT`);
    this.#database.prepare('DELETE FROM executions WHERE stoppedAt < ?').run(now - NAME_TAKEN_MS);
  }

  /** The execution of an ARN. */
  find(arn: string): Execution | undefined {
    const row = this.#database.prepare('SELECT * FROM executions WHERE arn = ?').get(arn);
    return row === undefined ? undefined : v.parse(RowSchema, row);
  }

  /** Those of a state machine, or of all; the newest first. */
  list(stateMachineArn?: string): readonly Execution[] {
    const order = 'ORDER BY startedAt DESC, rowid DESC';
    const rows =
      stateMachineArn === undefined
        ? this.#database.prepare(`SELECT * FROM executions ${order}`).all()
        : this.#database
            .prepare(`SELECT * FROM executions WHERE stateMachineArn = ? ${order}`)
            .all(stateMachineArn);
    return rows.map((row) => v.parse(RowSchema, row));
  }

  /** Writes an execution, or what has become of it. */
  put(execution: Execution): void {
    this.#database
      .prepare('INSERT OR REPLACE INTO executions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run(
        execution.arn,
        execution.stateMachineArn,
        execution.name,
        execution.status,
        execution.startedAt,
        execution.stoppedAt ?? null,
        execution.input,
        execution.output ?? null,
        execution.error ?? null,
        execution.cause ?? null,
      );
  }

  close(): void {
    this.#database.close();
  }
}
