import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { StartError } from '../errors.ts';

/** The database file is there and cannot be opened; the message says what to do. */
export class DatabaseFileError extends StartError {
  override readonly name = 'DatabaseFileError';
}

/** What DynamoDB Local calls its file with `-sharedDb`. */
const FILE_NAME = 'shared-local-instance.db';

/**
 * Puts the file of DynamoDB Local, new or old, into SQLite's write-ahead mode, which the file itself remembers
 * (https://sqlite.org/wal.html#persistence_of_wal_mode). DynamoDB Local leaves SQLite's default, a rollback journal,
 * which waits for the disk several times in every write: on a busy disk an UpdateItem took 13 ms that takes 1.3 ms
 * with the log, and half the processor time. All reads wait for it, since DynamoDB Local has one thread for SQLite.
 *
 * @throws DatabaseFileError when the file is no database, or somebody else's
 */
export function setWriteAheadLog(directory: string): void {
  const file = join(directory, FILE_NAME);
  let database: DatabaseSync | undefined;
  try {
    database = new DatabaseSync(file);
    database.exec('PRAGMA journal_mode = WAL');
  } catch (cause) {
    throw new DatabaseFileError(
      `${file} cannot be opened as a database (${cause instanceof Error ? cause.message : String(cause)}). Stop what else uses it, or run npm start -- --fresh to begin anew; the local data are lost then.`,
      { cause },
    );
  } finally {
    database?.close();
  }
}
