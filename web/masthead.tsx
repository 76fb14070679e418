import { ConnectionPanel } from './connection-panel.tsx';
import { homeHash } from './router.ts';
import { SHORTCUTS_DIALOG } from './shortcuts.tsx';
import type { Store } from './store.ts';

/** What stays whatever is open: where one is, and how fresh it is. */
export function Masthead({ store }: { store: Store }) {
  return (
    <header class="masthead">
      <a class="wordmark" href={homeHash(store.router.filter.value)}>
        <svg class="wordmark-sign" viewBox="0 0 24 24" aria-hidden="true">
          <path d="M2 13h4.5l2.5-7 4 12 2.5-6.5H22" />
        </svg>
        Jobwire
      </a>
      <div class="masthead-tools">
        <ConnectionPanel store={store} />
        <button
          type="button"
          class="icon-button"
          aria-label="Keyboard shortcuts"
          aria-haspopup="dialog"
          data-testid="shortcuts-open"
          onClick={() => {
            const dialog = document.getElementById(SHORTCUTS_DIALOG);
            if (dialog instanceof HTMLDialogElement) dialog.showModal();
          }}
        >
          ?
        </button>
      </div>
    </header>
  );
}
