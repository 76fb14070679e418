/** What people are told of a kind of work; a kind without an entry is shown by its name. */
export interface KindLabel {
  readonly label: string;
  readonly hint: string;
}

const LABELS: Readonly<Record<string, KindLabel>> = {
  'csv-profile': {
    label: 'Profile a CSV file',
    hint: 'Type, range, gaps and most frequent values of every column.',
  },
};

/** See `KindLabel`. */
export function kindLabel(kind: string): KindLabel {
  return LABELS[kind] ?? { label: kind, hint: '' };
}
