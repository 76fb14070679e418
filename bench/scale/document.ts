import { fileURLToPath } from 'node:url';
import type { TableName } from './tables.ts';

/** Where docs/scale.md is. */
export const DOCUMENT = fileURLToPath(new URL('../../docs/scale.md', import.meta.url));

/**
 * The document with its tables as they are now: each stands between `<!-- table: name -->` and `<!-- end -->`.
 * @throws Error for a table that has no place, and for a place without a table.
 */
export function withTables(text: string, tables: Readonly<Record<TableName, string>>): string {
  const missing = new Map(Object.entries(tables));
  const written = text.replace(
    /^(<!-- table: (\w+) -->)$.*?^(<!-- end -->)$/gms,
    (_place, begin: string, name: string, end: string) => {
      const table = missing.get(name);
      if (table === undefined) throw new Error(`There is no table ${name}, or it has two places`);
      missing.delete(name);
      return `${begin}\n\n${table}\n\n${end}`;
    },
  );
  if (missing.size > 0) throw new Error(`No place for the tables ${[...missing.keys()].join(', ')}`);
  return written;
}
