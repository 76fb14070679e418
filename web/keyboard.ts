/** Moves the focus among the rows of the list: arrows, j and k, Home and End. */
export function moveAmongRows(event: KeyboardEvent, list: HTMLElement | null): void {
  if (list === null || event.altKey || event.ctrlKey || event.metaKey) return;
  const rows = [...list.querySelectorAll<HTMLElement>('.row')];
  const at = indexOfFocus(rows);
  const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
  const target = to === undefined ? undefined : rows[Math.max(0, to)];
  if (target === undefined) return;
  event.preventDefault();
  target.focus();
}

/** Moves from wherever the focus is to the next or previous row. */
export function stepAmongRows(by: 1 | -1): void {
  const rows = [...document.querySelectorAll<HTMLElement>('.row')];
  const at = indexOfFocus(rows);
  const current = rows.findIndex((row) => row.getAttribute('aria-current') === 'page');
  const from = at === -1 ? current : at;
  rows[Math.min(rows.length - 1, Math.max(0, from + by))]?.focus();
}

function indexOfFocus(rows: readonly Element[]): number {
  return document.activeElement === null ? -1 : rows.indexOf(document.activeElement);
}

/** Whether a key that was pressed belongs to a field that is being filled in. */
export function isTyping(target: EventTarget | null): boolean {
  return target instanceof Element && target.closest('input, select, textarea, [contenteditable]') !== null;
}
