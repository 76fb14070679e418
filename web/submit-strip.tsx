import { useSignal } from '@preact/signals';
import * as v from 'valibot';
import { TagsSchema } from '../protocol/job.ts';
import { isKind, KINDS, type Kind } from '../protocol/kinds.ts';
import { DropZone } from './drop-zone.tsx';
import { kindLabel } from './kind-labels.ts';
import type { Store } from './store.ts';

/** The file input's id, for the shortcut. */
export const FILE_FIELD = 'file';

/** Where a job begins: with which file, what to do, under which tags. */
export function SubmitStrip({ store }: { store: Store }) {
  const kind = useSignal<Kind>(KINDS[0]);
  const tags = useSignal('');
  const creating = useSignal(false);
  const parsed = v.safeParse(TagsSchema, readTags(tags.value));

  async function submit(files: readonly File[]) {
    creating.value = true;
    await store.submitAll(files, kind.value, parsed.success ? parsed.output : []);
    creating.value = false;
  }

  return (
    <section class="submit" aria-label="New job">
      <DropZone
        busy={creating.value || !parsed.success}
        id={FILE_FIELD}
        onFiles={(files) => void submit(files)}
      />
      <div class="submit-choices">
        <label class="field">
          <span class="field-label">What to do</span>
          <select
            data-testid="kind"
            value={kind.value}
            onChange={(event) => {
              const chosen = event.currentTarget.value;
              if (isKind(chosen)) kind.value = chosen;
            }}
          >
            {KINDS.map((each) => (
              <option key={each} value={each}>
                {kindLabel(each).label}
              </option>
            ))}
          </select>
        </label>
        <label class="field">
          <span class="field-label">Tags</span>
          <input
            type="text"
            data-testid="tags"
            placeholder="nightly, finance"
            autocomplete="off"
            aria-invalid={!parsed.success}
            aria-describedby="tags-error"
            value={tags.value}
            onInput={(event) => {
              tags.value = event.currentTarget.value;
            }}
          />
        </label>
        <p class="field-hint" id="tags-error">
          {parsed.success ? kindLabel(kind.value).hint : `A tag ${parsed.issues[0].message}.`}
        </p>
      </div>
    </section>
  );
}

function readTags(text: string): string[] {
  return [...new Set(text.split(',').map((tag) => tag.trim()))].filter((tag) => tag !== '');
}
