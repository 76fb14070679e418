import { useSignal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { SEARCH_FIELD } from './board-toolbar.tsx';
import { isTyping, stepAmongRows } from './keyboard.ts';
import type { Store } from './store.ts';
import { FILE_FIELD } from './submit-strip.tsx';

/** The dialog's id, for whoever opens it. */
export const SHORTCUTS_DIALOG = 'shortcuts';

/** Where the browser remembers that single keys are to do nothing. */
const STORAGE_KEY = 'jobwire.single-keys';

const KEYS = [
  ['/', 'Search'],
  ['j k or ↓ ↑', 'Next or previous job'],
  ['Enter', 'Open the job'],
  ['Esc', 'Back to all jobs'],
  ['u', 'Choose a file to upload'],
  ['c', 'Connection'],
  ['?', 'This list'],
] as const;

/**
 * Single keys, and the dialog that lists them. They can be switched off (WCAG 2.1.4): whoever speaks to the computer
 * or often hits a key by mistake would set them off unawares.
 */
export function Shortcuts({ store }: { store: Store }) {
  const enabled = useSignal(remembered() !== 'off');
  useEffect(() => {
    const press = (event: KeyboardEvent) => {
      if (event.altKey || event.ctrlKey || event.metaKey || event.defaultPrevented) return;
      if (document.querySelector('dialog[open], [popover]:popover-open') !== null) return;
      if (event.key === 'Escape') leave(event, store);
      else if (enabled.peek() && !isTyping(event.target) && act(event.key, store)) event.preventDefault();
    };
    document.addEventListener('keydown', press);
    return () => document.removeEventListener('keydown', press);
  }, [store, enabled]);
  return (
    <dialog id={SHORTCUTS_DIALOG} class="dialog" aria-labelledby="shortcuts-title" data-testid="shortcuts">
      <form method="dialog">
        <h2 id="shortcuts-title">Keyboard</h2>
        <dl class="keys">
          {KEYS.map(([key, meaning]) => (
            <div key={key}>
              <dt>
                <kbd>{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
        <label class="check">
          <input
            type="checkbox"
            checked={enabled.value}
            onChange={(event) => {
              enabled.value = event.currentTarget.checked;
              remember(enabled.value ? 'on' : 'off');
            }}
          />
          Single keys work
        </label>
        <button type="submit" class="secondary">
          Close
        </button>
      </form>
    </dialog>
  );
}

function leave(event: KeyboardEvent, store: Store): void {
  if (isTyping(event.target) && event.target instanceof HTMLElement) event.target.blur();
  else if (store.router.route.peek().name === 'job') store.router.openHome();
}

/** Does what a key stands for; answers whether it stands for anything. */
function act(key: string, store: Store): boolean {
  if (key === 'j' || key === 'k') stepAmongRows(key === 'j' ? 1 : -1);
  else if (key === '/') document.getElementById(SEARCH_FIELD)?.focus();
  else if (key === 'u') chooseFile(store);
  else if (key === 'c') document.querySelector<HTMLElement>('.light-button')?.click();
  else if (key === '?') {
    const dialog = document.getElementById(SHORTCUTS_DIALOG);
    if (dialog instanceof HTMLDialogElement) dialog.showModal();
  } else return false;
  return true;
}

/** Files are chosen where the list is; from a job that is a step away. */
function chooseFile(store: Store): void {
  const open = () => document.getElementById(FILE_FIELD)?.click();
  if (store.router.route.peek().name === 'home') open();
  else {
    store.router.openHome();
    setTimeout(open); // once the list is drawn; the key counts as the reader's doing for seconds yet
  }
}

function remembered(): string | null {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // a browser that keeps nothing for this page: the keys work as they do at first
  }
}

function remember(value: string): void {
  try {
    localStorage.setItem(STORAGE_KEY, value);
  } catch {
    // Not kept: it holds until the page is closed.
  }
}
