import { broadcastProfile } from './broadcast-profile.ts';
import { choosingParts } from './choosing.ts';
import { commandName, type MeasureName } from './measure.ts';
import { measuredTable } from './readme-table.ts';
import { MEASURE_NAMES, type Results } from './results.ts';

/** A document and the results do not fit together; the message says where, and what to type. */
export class MeasuredDocumentError extends Error {
  override readonly name = 'MeasuredDocumentError';
}

/** What is written into a document between its marks, place by place, by the path of the document. */
const PARTS = {
  'README.md': measuredTable,
  'docs/choosing.md': choosingParts,
  'docs/scale.md': broadcastProfile,
} as const satisfies Readonly<Record<string, (results: Results) => string | readonly string[]>>;

/** A document with a part that is made of bench/results.json: its path in the repository. */
export type MeasuredDocument = keyof typeof PARTS;

/** Every document with figures of bench/results.json. */
export const MEASURED_DOCUMENTS = Object.keys(PARTS) as readonly MeasuredDocument[]; // keys of a const table

const BEGIN = '<!-- measured: written by npm run bench -- --readme -->';
const END = '<!-- end of measured -->';

/**
 * Requires every measure, with a load that says something: a document that left out what was not measured would
 * look whole.
 * @throws MeasuredDocumentError with the command that makes the results complete
 */
export function requireComplete(results: Results | undefined): asserts results is Results {
  const missing = MEASURE_NAMES.filter((name) => results?.measures[name] === undefined);
  if (missing.length > 0) {
    throw new MeasuredDocumentError(
      `bench/results.json has no figures of ${missing.join(', ')}: run ${commandFor(missing)}, then npm run bench -- --readme`,
    );
  }
  if (results?.quick === true) {
    throw new MeasuredDocumentError(
      'The figures of bench/results.json are of tiny loads: run npm run bench, then npm run bench -- --readme',
    );
  }
}

function commandFor(missing: readonly MeasureName[]): string {
  if (missing.length === MEASURE_NAMES.length) return 'npm run bench';
  return `npm run bench -- ${missing.map(commandName).join(' ')}`;
}

/**
 * The document with the figures of complete results between its marks, two for each place.
 * @throws MeasuredDocumentError when a mark, a measure, or a figure is missing
 */
export function withMeasured(document: MeasuredDocument, text: string, results: Results | undefined): string {
  requireComplete(results);
  let written = '';
  let rest = text;
  for (const part of [PARTS[document](results)].flat()) {
    const begin = rest.indexOf(BEGIN);
    const end = rest.indexOf(END);
    if (begin < 0 || end < begin)
      throw new MeasuredDocumentError(`${document} needs ${BEGIN} and, below it, ${END}`);
    written += `${rest.slice(0, begin + BEGIN.length)}\n${part}\n${END}`;
    rest = rest.slice(end + END.length);
  }
  return written + rest;
}
