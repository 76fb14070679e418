import { useSignal } from '@preact/signals';
import { droppedFiles } from './dropped-files.ts';

/**
 * Takes files by click, keyboard and drag. It is a file input in its label, so that the browser brings the keyboard,
 * the screen reader and the phone's own chooser along.
 */
export function DropZone(props: { id: string; busy: boolean; onFiles: (files: readonly File[]) => void }) {
  const over = useSignal(false);
  return (
    <label
      class="drop-zone"
      data-testid="drop-zone"
      data-over={over.value}
      data-busy={props.busy}
      onDragOver={(event) => {
        event.preventDefault();
        over.value = true;
      }}
      onDragLeave={() => {
        over.value = false;
      }}
      onDrop={(event) => {
        event.preventDefault();
        over.value = false;
        const files = droppedFiles(event);
        if (!props.busy && files.length > 0) props.onFiles(files);
      }}
    >
      <input
        id={props.id}
        type="file"
        class="visually-hidden"
        data-testid="file-input"
        multiple
        disabled={props.busy}
        onChange={(event) => {
          const files = [...(event.currentTarget.files ?? [])];
          event.currentTarget.value = ''; // so that the same file can be chosen again
          if (files.length > 0) props.onFiles(files);
        }}
      />
      <svg class="drop-icon" viewBox="0 0 48 48" aria-hidden="true">
        <path d="M24 31V11m-8 7 8-8 8 8M9 31v5a3 3 0 0 0 3 3h24a3 3 0 0 0 3-3v-5" />
      </svg>
      <span class="drop-words">
        <span class="drop-title">Drop a file here</span>
        <span class="drop-hint">
          or <span class="drop-link">choose one</span>, up to 5 TB. It goes straight to storage.
        </span>
      </span>
    </label>
  );
}
