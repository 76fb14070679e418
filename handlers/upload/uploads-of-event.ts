import type { Log } from '../ports.ts';
import type { ObjectCreated } from './object-created.ts';

/** One upload of an event, or why it could not be read. */
export type UploadReading = { readonly upload: ObjectCreated } | { readonly malformed: Error };

/**
 * Takes the uploads of one event one after another, all of them whatever becomes of one. Lambda repeats whole events
 * only: uploads that were taken are then looked at again, which is harmless.
 * @throws the first failure, when all have had their turn; those after it are in the log.
 */
export async function takeUploads(
  readings: readonly UploadReading[],
  objectCreated: (upload: ObjectCreated) => Promise<void>,
  log: Pick<Log, 'error'>,
): Promise<void> {
  const failures: unknown[] = [];
  for (const reading of readings) {
    try {
      if ('malformed' in reading) throw reading.malformed;
      await objectCreated(reading.upload);
    } catch (error) {
      if (failures.push(error) > 1) log.error('Another upload of the event failed', { error });
    }
  }
  if (failures.length > 0) throw failures[0];
}
