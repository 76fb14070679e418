import { readFile, writeFile } from 'node:fs/promises';
import { inspect } from 'node:util';
import { ContradictedError } from './choosing.ts';
import { readCommandLine } from './command-line.ts';
import { MissingFigureError } from './figures.ts';
import { shareLocalRuntime } from './local-runtime.ts';
import { machine, versions } from './machine.ts';
import { InvariantError } from './measure.ts';
import { MEASURED_DOCUMENTS, MeasuredDocumentError, withMeasured } from './measured-documents.ts';
import { MEASURES } from './measures.ts';
import { mergeResults, RESULTS_FILE, ResultsFileError, readResults, writeResults } from './results.ts';
import { runMeasures } from './run-measures.ts';
import { renderTable } from './table.ts';

/** What a shell expects of a program that Ctrl-C ended: 128 and the number of SIGINT. */
const INTERRUPTED = 130;

const request = readCommandLine(process.argv.slice(2), MEASURES);
if (request.kind === 'help') {
  console.log(request.text);
} else if (request.kind === 'refused') {
  console.error(`${request.problem}.\nSee npm run bench -- --help`);
  process.exitCode = 1;
} else if (request.kind === 'readme') {
  await writeDocuments();
} else {
  process.exitCode = await run(request);
  // A library's idle connection must not hold the command up once everything is said.
  process.exit();
}

async function run(asked: Extract<typeof request, { readonly kind: 'run' }>): Promise<number> {
  const { file, quick, command } = asked;
  let earlier: Awaited<ReturnType<typeof readResults>>;
  try {
    // Before minutes of work, not after.
    earlier = file === undefined ? undefined : await readResults(file);
  } catch (error) {
    if (!(error instanceof ResultsFileError)) throw error;
    console.error(error.message);
    return 1;
  }
  const at = new Date();
  const line = machine();
  // What a measure leaves in the database would be in the next one's figures; of tiny loads nobody reads them.
  const endRuntime = quick ? shareLocalRuntime() : () => Promise.resolve();
  const { outcomes, failures } = await runMeasures(asked.measures, {
    quick,
    signal: interruption(),
    log: (text) => console.error(text),
  });
  await endRuntime();
  console.log(`${line}\n${quick ? 'Tiny loads (--quick): these figures say nothing of speed.\n' : ''}`);
  if (outcomes.size > 0) console.log(renderTable(outcomes, { quick }));
  for (const [name, error] of failures) {
    console.error(`\n${name}: ${error instanceof InvariantError ? error.message : inspect(error)}`);
  }
  if (file !== undefined && outcomes.size > 0) {
    const latest = { machine: line, versions: await versions(), at, command, quick, outcomes };
    await writeResults(file, mergeResults(earlier, latest));
    console.log(`\nWritten to ${file}`);
  }
  if (outcomes.size + failures.size < asked.measures.length) return INTERRUPTED;
  return failures.size > 0 ? 1 : 0;
}

async function writeDocuments(): Promise<void> {
  try {
    const results = await readResults(RESULTS_FILE);
    // All of them before any is written.
    const written = await Promise.all(
      MEASURED_DOCUMENTS.map(async (document) => {
        const file = new URL(`../${document}`, import.meta.url);
        return { document, file, text: withMeasured(document, await readFile(file, 'utf8'), results) };
      }),
    );
    for (const { document, file, text } of written) {
      await writeFile(file, text);
      console.log(`Written to ${document}`);
    }
  } catch (error) {
    const known = [ContradictedError, MeasuredDocumentError, MissingFigureError, ResultsFileError];
    if (!known.some((kind) => error instanceof kind)) throw error;
    console.error(error instanceof Error ? error.message : error);
    process.exitCode = 1;
  }
}

/** Aborted by the first Ctrl-C, so that measures end what they started; the second one ends at once. */
function interruption(): AbortSignal {
  const controller = new AbortController();
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(INTERRUPTED);
    console.error('Ends what was started; Ctrl-C again ends at once.');
    controller.abort(new Error('Interrupted by Ctrl-C'));
  });
  return controller.signal;
}
