/** What watchers read while rows are profiled: how many up to now, in all ranges. */
export function messageOf({ rows, columns }: { readonly rows: number; readonly columns: number }): string {
  return `profiled ${grouped(rows)} rows of ${grouped(columns)} columns`;
}

/** `1234567` as `1,234,567`; messages are English. */
function grouped(count: number): string {
  return count.toLocaleString('en-US');
}
