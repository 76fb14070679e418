import { useSignal } from '@preact/signals';
import { isKind, KINDS, type Kind } from '../protocol/kinds.ts';
import { DropZone } from './drop-zone.tsx';
import { kindLabel } from './kind-labels.ts';
import type { Store } from './store.ts';

/** Where a job begins: what to do, and with which file. */
export function SubmitPage({ store }: { store: Store }) {
  const kind = useSignal<Kind>(KINDS[0]);
  const creating = useSignal(false);

  async function submit(files: readonly File[]) {
    creating.value = true;
    for (const file of files) await store.submit(file, kind.value);
    creating.value = false;
  }

  return (
    <section class="submit" aria-labelledby="submit-title">
      <h1 id="submit-title">Upload a file, watch the work</h1>
      <p class="lead">It goes straight to storage. Every step of its job shows here the moment it happens.</p>
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
        <span class="field-hint">{kindLabel(kind.value).hint}</span>
      </label>
      <DropZone busy={creating.value} onFiles={(files) => void submit(files)} />
    </section>
  );
}
