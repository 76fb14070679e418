import type { Store } from './store.ts';
import { connectionAge, connectionLabel } from './wording.ts';

/** Says in words and shape, never by colour alone, how fresh the page is. */
export function ConnectionLight({ store }: { store: Store }) {
  const state = store.connection.value;
  // Only a state that ages reads the clock, so that a live page does not redraw every second for nothing.
  const ages = state.status === 'reconnecting' || state.status === 'stale';
  const age = ages ? connectionAge(state, store.now.value) : undefined;
  // Another state is another element: one that had become wider or narrower would count as moved.
  return (
    <span
      key={state.status}
      class={`light light-${state.status}`}
      data-testid="connection"
      data-connection={state.status}
    >
      <span class="light-mark" aria-hidden="true" />
      <span>{connectionLabel(state)}</span>
      {age === undefined ? null : <span class="light-age">{age}</span>}
    </span>
  );
}
