/** A process that runs DynamoDB Local and is meant to be killed: prints Java's process id, then waits. */
import { startDynamoDbProcess } from '../../../local/services/dynamodb-process.ts';

const database = await startDynamoDbProcess({
  directory: process.argv[2] ?? '',
  onUnexpectedExit: () => undefined,
});
process.stdout.write(`${database.javaPid}\n`);
