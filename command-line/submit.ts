import { openAsBlob } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import type { Via } from '../client/access.ts';
import type { JobwireClient } from '../client/client.ts';
import type { JobWatch } from '../client/job-watch.ts';
import { UnreadableFileError, UploadEndedError } from '../client/upload-errors.ts';
import type { JobUpload } from '../client/upload-job.ts';
import type { Job } from '../protocol/job.ts';
import { chooseDisplay } from './choose-display.ts';
import { contentTypeOf } from './content-type.ts';
import type { Display, Output } from './display.ts';
import { CommandError, explain, InterruptedError } from './errors.ts';
import { EXIT, type ExitCode } from './exit-codes.ts';
import { follow, type Outcome } from './follow.ts';
import { cancelStopped } from './stopped-upload.ts';
import { stoppedSentence } from './watch.ts';

/** What `jobwire submit` is told. */
export interface SubmitOptions {
  readonly kind: string;
  readonly tags: readonly string[];
  /** By the file's name unless told. */
  readonly contentType: string | undefined;
  readonly via: Via;
  readonly json: boolean;
  readonly watch: boolean;
  readonly signal: AbortSignal;
}

/**
 * Uploads a file as a new job and watches it to its end. Standard output gets what a script wants: the result's
 * URL, the job's id with `--no-watch`, or every state with `--json`. Progress goes to standard error.
 * @throws CommandError for a file that cannot be read, and whatever the client throws.
 */
export async function submit(client: JobwireClient, file: string, options: SubmitOptions): Promise<ExitCode> {
  const content = await openFile(file);
  const output = options.json ? process.stdout : process.stderr;
  const display = chooseDisplay(output as Output, options.json, process.env); // both are
  const submission = new Submission(client, path.basename(file), content, options, display);
  try {
    const outcome = await submission.run();
    display.close();
    return report(client, outcome, options);
  } catch (error) {
    display.close();
    if (!(error instanceof InterruptedError)) throw await submission.endFailed(named(error, file));
    console.error(`\n${await submission.endStopped()}`);
    return EXIT.interrupted;
  }
}

/** One file on its way: job, upload, and the watch of both. */
class Submission {
  readonly #client: JobwireClient;
  readonly #fileName: string;
  readonly #content: Blob;
  readonly #options: SubmitOptions;
  readonly #display: Display;
  #made: { readonly id: string; readonly token: string } | undefined;
  #watch: JobWatch | undefined;
  #uploaded = false;

  constructor(
    client: JobwireClient,
    fileName: string,
    content: Blob,
    options: SubmitOptions,
    display: Display,
  ) {
    this.#client = client;
    this.#fileName = fileName;
    this.#content = content;
    this.#options = options;
    this.#display = display;
  }

  /** Answers with how the job ended, or where it is with `--no-watch`. */
  async run(): Promise<Outcome> {
    const { signal, via, watch: watching } = this.#options;
    // The upload goes on trying for minutes where nobody answers; a person should hear of that at once.
    await this.#client.list({ limit: 1, signal });
    const upload = this.#begin();
    const [job, token] = await Promise.all([upload.job, upload.token]);
    this.#made = { id: job.id, token };
    const outcome = this.#outcomeOf(job, watching ? await upload.watch({ signal, via }) : undefined);
    // It may end before the upload has, which is when it is looked at.
    outcome.catch(() => {});
    try {
      await upload.done;
      this.#uploaded = true;
    } catch (error) {
      // Somebody else ended the job: the watch knows how.
      if (!(watching && error instanceof UploadEndedError)) throw error;
    }
    return await outcome;
  }

  /** Shows the job from its first state to its last, or the first alone. */
  async #outcomeOf(made: Job, watch: JobWatch | undefined): Promise<Outcome> {
    this.#watch = watch;
    if (watch !== undefined) return await follow(watch, this.#display, made);
    this.#display.job(made);
    return { id: made.id, exitCode: EXIT.succeeded };
  }

  /** What becomes of a stop, by Ctrl-C or a failure: a job whose file will never come is cancelled; others go on. */
  async endStopped(): Promise<string> {
    if (this.#made === undefined) return 'Stopped before there was a job.';
    const { id, token } = this.#made;
    return this.#uploaded ? stoppedSentence([id]) : await cancelStopped(this.#client, id, token);
  }

  /** What to end the command with: nobody goes on with an upload that failed, so that its job need not wait for it. */
  async endFailed(error: unknown): Promise<unknown> {
    const explained = explain(error);
    if (explained === undefined || this.#made === undefined || this.#uploaded) return error;
    if (error instanceof UploadEndedError) return error;
    this.#watch?.close();
    const ending = await this.endStopped();
    return new CommandError(`${explained.message}\n${ending}`, explained.exitCode, { cause: error });
  }

  #begin(): JobUpload {
    const { kind, tags, contentType, signal } = this.#options;
    const fileName = this.#fileName;
    return this.#client.uploadJob(this.#content, {
      kind,
      fileName,
      contentType: contentType ?? contentTypeOf(fileName),
      tags: [...tags],
      signal,
      onProgress: (progress) => this.#display.upload(fileName, progress),
    });
  }
}

/** The client knows a file by no name; a sentence on a terminal says which one it is. */
function named(error: unknown, file: string): unknown {
  if (!(error instanceof UnreadableFileError)) return error;
  return new CommandError(`${file}: ${error.message}`, EXIT.usage, { cause: error });
}

/** A file that is read piece by piece while it is sent, whatever its size. */
async function openFile(file: string): Promise<Blob> {
  try {
    const facts = await stat(file);
    if (!facts.isFile()) throw new CommandError(`${file} is not a file.`, EXIT.usage);
    if (facts.size === 0) {
      throw new CommandError(`${file} is empty: there is nothing to process.`, EXIT.usage);
    }
    return await openAsBlob(file);
  } catch (cause) {
    if (!(cause instanceof Error) || !('code' in cause)) throw cause;
    throw new CommandError(`${file} cannot be read: ${cause.message}`, EXIT.usage, { cause });
  }
}

function report(client: JobwireClient, outcome: Outcome, { json, watch }: SubmitOptions): ExitCode {
  const { id, job, reason, exitCode } = outcome;
  if (reason !== undefined) console.error(`${id}: ${reason}`);
  if (!json && !watch) console.log(id);
  if (!json && job?.result !== undefined) console.log(client.resultUrl(id));
  return exitCode;
}
