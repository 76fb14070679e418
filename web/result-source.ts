import { type ReadonlySignal, signal } from '@preact/signals';
import { UnexpectedAnswerError, UnreachableError } from '../client/errors.ts';
import { InvalidError, parseJson } from '../protocol/invalid.ts';
import type { Job } from '../protocol/job.ts';
import { type CsvProfileResult, readCsvProfile } from './csv-profile-result.ts';

/** A larger result is offered for download alone: parsing it would hold up the page. */
const MAXIMUM_PREVIEW_BYTES = 4_000_000;

/** What of a result can be shown. */
export type Preview =
  | { readonly status: 'loading' }
  | { readonly status: 'ready'; readonly profile: CsvProfileResult }
  | { readonly status: 'too-large' }
  | { readonly status: 'failed'; readonly error: unknown };

/** Gets a link that can be fetched for a minute. Throws what the client's calls throw. */
export type LinkSource = (job: string) => Promise<string>;

/** Fetches results for their previews, each once. */
export class ResultSource {
  readonly #link: LinkSource;
  readonly #previews = new Map<string, ReadonlySignal<Preview>>();

  constructor(link: LinkSource) {
    this.#link = link;
  }

  /** The preview of a job's result; undefined where its kind has none. */
  preview(job: Job): ReadonlySignal<Preview> | undefined {
    if (job.kind !== 'csv-profile' || job.result === undefined) return undefined;
    const key = `${job.id} ${job.epoch}`;
    const known = this.#previews.get(key);
    if (known !== undefined) return known;
    const tooLarge = job.result.size > MAXIMUM_PREVIEW_BYTES;
    const preview = signal<Preview>({ status: tooLarge ? 'too-large' : 'loading' });
    this.#previews.set(key, preview);
    if (!tooLarge) {
      this.#fetch(job.id).then(
        (profile) => {
          preview.value = { status: 'ready', profile };
        },
        (error: unknown) => {
          this.#previews.delete(key); // so that opening the job again tries again
          preview.value = { status: 'failed', error };
        },
      );
    }
    return preview;
  }

  async #fetch(job: string): Promise<CsvProfileResult> {
    const url = await this.#link(job);
    let text: string;
    try {
      const response = await fetch(url, { referrerPolicy: 'no-referrer', credentials: 'omit' });
      if (!response.ok)
        throw new UnexpectedAnswerError(`the storage answered ${response.status} for the result`);
      text = await response.text();
    } catch (cause) {
      if (cause instanceof UnexpectedAnswerError) throw cause;
      throw new UnreachableError('no answer from the storage', { cause });
    }
    try {
      return readCsvProfile(parseJson('the result', text));
    } catch (cause) {
      if (cause instanceof InvalidError) throw new UnexpectedAnswerError(cause.message, { cause });
      throw cause;
    }
  }
}
