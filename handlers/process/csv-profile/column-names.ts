import { beginningOf, QUOTED_CHARACTERS } from './quoted-text.ts';

/** Names for `width` columns, each once; see `ColumnSummary.name`. */
export function columnNames(header: readonly string[] | undefined, width: number): readonly string[] {
  const taken = new Set<string>();
  return Array.from({ length: width }, (_, index) => {
    const given = beginningOf(header?.[index]?.trim() ?? '', QUOTED_CHARACTERS);
    const wanted = given === '' ? `column ${index + 1}` : given;
    let name = wanted;
    for (let copy = 2; taken.has(name); copy += 1) name = `${wanted} (${copy})`;
    taken.add(name);
    return name;
  });
}
