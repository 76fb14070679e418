import type { Load } from './load.ts';
import { DEFAULT_WAYS, type Ways } from './ways.ts';
import { stepReportsOf } from './workflow.ts';

/** Between two reports of an upload, in seconds (client/upload-report.ts). */
const UPLOAD_REPORT_SECONDS = 1.2;

/** A silent execution gives a sign of life every twenty seconds (handlers/process/paced-writes.ts). */
const SIGN_OF_LIFE_SECONDS = 20;

/** The states that a job commits from its creation to its end. */
export function changesOf(load: Load, ways: Ways = DEFAULT_WAYS): number {
  const created = 1;
  const queuedRunningSucceeded = 3;
  return (
    created + uploadReports(load) + queuedRunningSucceeded + progressReports(load, ways) + signsOfLife(load)
  );
}

/** Reports while the payload is sent. */
export function uploadReports({ uploadSeconds }: Load): number {
  return Math.floor(uploadSeconds / UPLOAD_REPORT_SECONDS);
}

/** Reports while the payload is worked on: those of the load, and by a workflow at least what its steps say. */
export function progressReports(load: Load, { processing }: Ways): number {
  if (processing === 'lambda') return load.updates;
  return Math.max(load.updates, stepReportsOf(load, processing === 'step-functions-efs'));
}

/** So often something happens every so many seconds within pauses between reports. */
export function inPauses({ jobSeconds, updates }: Load, everySeconds: number): number {
  const pauses = updates + 1;
  return pauses * Math.floor(jobSeconds / pauses / everySeconds);
}

/** Writes that say nothing but that the work goes on. */
export function signsOfLife(load: Load): number {
  return inPauses(load, SIGN_OF_LIFE_SECONDS);
}
