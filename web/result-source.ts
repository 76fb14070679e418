import { type ReadonlySignal, type Signal, signal } from '@preact/signals';
import { UnreachableError } from '../client/errors.ts';
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

/** The storage has the result no more, or does not give it out. */
export class ResultRefusedError extends Error {
  override readonly name = 'ResultRefusedError';

  constructor(status: number) {
    super(`the storage refused the result (status ${status})`);
  }
}

/** The result is none that this page knows how to show. */
export class UnreadableResultError extends Error {
  override readonly name = 'UnreadableResultError';

  constructor(cause: unknown) {
    super('it is not what this page knows as a profile; download it instead', { cause });
  }
}

interface Entry {
  readonly epoch: string;
  readonly preview: Signal<Preview>;
  fetching: boolean;
}

/** Fetches results for their previews: each once, and one that failed again only when somebody asks for it. */
export class ResultSource {
  readonly #link: LinkSource;
  readonly #entries = new Map<string, Entry>();

  constructor(link: LinkSource) {
    this.#link = link;
  }

  /** The preview of a job's result; undefined where its kind has none. Nothing is fetched before `load`. */
  preview(job: Job): ReadonlySignal<Preview> | undefined {
    return this.#entry(job)?.preview;
  }

  /** Fetches the result, unless it is here, on its way or too large. Call it from an effect: it is no drawing. */
  load(job: Job): void {
    const entry = this.#entry(job);
    if (entry === undefined || entry.fetching) return;
    const { status } = entry.preview.peek();
    if (status === 'ready' || status === 'too-large') return;
    entry.fetching = true;
    entry.preview.value = { status: 'loading' };
    this.#fetch(job.id)
      .then(
        (profile) => {
          entry.preview.value = { status: 'ready', profile };
        },
        (error: unknown) => {
          entry.preview.value = { status: 'failed', error };
        },
      )
      .finally(() => {
        entry.fetching = false;
      });
  }

  /** Lets go of the result of a job. */
  forget(job: string): void {
    this.#entries.delete(job);
  }

  #entry(job: Job): Entry | undefined {
    if (job.kind !== 'csv-profile' || job.result === undefined) return undefined;
    const known = this.#entries.get(job.id);
    if (known?.epoch === job.epoch) return known;
    const status = job.result.size > MAXIMUM_PREVIEW_BYTES ? 'too-large' : 'loading';
    const entry: Entry = { epoch: job.epoch, preview: signal<Preview>({ status }), fetching: false };
    this.#entries.set(job.id, entry);
    return entry;
  }

  async #fetch(job: string): Promise<CsvProfileResult> {
    const url = await this.#link(job);
    let text: string;
    try {
      const response = await fetch(url, { referrerPolicy: 'no-referrer', credentials: 'omit' });
      if (!response.ok) throw new ResultRefusedError(response.status);
      text = await response.text();
    } catch (cause) {
      if (cause instanceof ResultRefusedError) throw cause;
      throw new UnreachableError('no answer from the storage', { cause });
    }
    try {
      return readCsvProfile(parseJson('the result', text));
    } catch (cause) {
      if (cause instanceof InvalidError) throw new UnreadableResultError(cause);
      throw cause;
    }
  }
}
