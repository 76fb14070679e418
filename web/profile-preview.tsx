import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import type { Job } from '../protocol/job.ts';
import { ColumnCard } from './column-card.tsx';
import type { CsvProfileResult } from './csv-profile-result.ts';
import { Figure } from './figure.tsx';
import type { Preview, ResultSource } from './result-source.ts';
import { formatBytes, formatCount } from './units.ts';
import { explain } from './wording.ts';

/** More columns than a reader takes in, and than a phone draws at once. */
const SHOWN_AT_FIRST = 24;

const DELIMITERS: Readonly<Record<string, string>> = {
  ',': 'comma',
  ';': 'semicolon',
  '\t': 'tab',
  '|': 'bar',
};

/** What a profile says, column by column. */
export function ProfilePreview({ results, job }: { results: ResultSource; job: Job }) {
  const preview = results.preview(job)?.value;
  const awaited = preview !== undefined;
  // Once a visit: what could not be fetched is fetched again when somebody opens the job again or asks for it.
  // biome-ignore lint/correctness/useExhaustiveDependencies: other states of the job have the same result
  useEffect(() => results.load(job), [results, job.id, job.epoch, awaited]);
  if (preview === undefined) return null;
  return (
    <section class="card" aria-labelledby="profile-title" data-testid="profile" data-preview={preview.status}>
      <header class="card-head">
        <h2 id="profile-title">Result</h2>
      </header>
      <PreviewContent preview={preview} onRetry={() => results.load(job)} />
    </section>
  );
}

function PreviewContent({ preview, onRetry }: { preview: Preview; onRetry: () => void }) {
  switch (preview.status) {
    case 'loading':
      return <p class="soft profile-waiting">Fetching the result…</p>;
    case 'too-large':
      return <p class="soft">It is too large to be shown here. Download it instead.</p>;
    case 'failed':
      return (
        <p class="soft actions">
          It cannot be shown here. {explain(preview.error)}
          <button type="button" class="quiet" data-testid="preview-retry" onClick={onRetry}>
            Fetch it again
          </button>
        </p>
      );
    case 'ready':
      return <Profile profile={preview.profile} />;
  }
}

function Profile({ profile }: { profile: CsvProfileResult }) {
  const all = useSignal(false);
  const { file, malformed, columns } = profile;
  const shown = all.value ? columns : columns.slice(0, SHOWN_AT_FIRST);
  return (
    <>
      <dl class="figures">
        <Figure name="Rows" value={formatCount(profile.rows)} />
        <Figure name="Columns" value={formatCount(columns.length)} />
        <Figure name="Size" value={formatBytes(file.size)} />
        <Figure name="Delimiter" value={DELIMITERS[file.delimiter] ?? file.delimiter} />
        <Figure name="Header" value={file.header ? 'yes' : 'no'} />
        <Figure name="Malformed rows" value={formatCount(malformed.count)} />
      </dl>
      {malformed.count === 0 ? null : (
        <details class="malformed">
          <summary>The first malformed rows</summary>
          <ol>
            {malformed.samples.map(({ line, reason, excerpt }) => (
              <li key={line}>
                <span class="soft">
                  Line {formatCount(line)},{' '}
                  {reason === 'quotes' ? 'text behind a closing quote' : 'number of fields'}
                </span>
                <code>{excerpt}</code>
              </li>
            ))}
          </ol>
        </details>
      )}
      <ol class="columns">
        {shown.map((column) => (
          <ColumnCard key={column.name} column={column} />
        ))}
      </ol>
      {shown.length === columns.length ? null : (
        <button
          type="button"
          class="secondary"
          onClick={() => {
            all.value = true;
          }}
        >
          Show all {formatCount(columns.length)} columns
        </button>
      )}
    </>
  );
}
