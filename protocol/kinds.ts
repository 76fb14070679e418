/**
 * The kinds of work that this installation offers. The process stage must have a processor for each (the
 * compiler sees to it), and `POST /jobs` refuses every other. Add yours here first.
 */
export const KINDS = ['csv-profile'] as const;

/** One of the kinds on offer. */
export type Kind = (typeof KINDS)[number];

/** Whether a kind is on offer here. */
export function isKind(kind: string): kind is Kind {
  return (KINDS as readonly string[]).includes(kind);
}
