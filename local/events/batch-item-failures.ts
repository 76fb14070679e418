/** What a function that reports batch item failures said of its batch. */
export type BatchVerdict =
  | { readonly kind: 'success' }
  | { readonly kind: 'partial'; readonly failed: ReadonlySet<string> }
  | { readonly kind: 'malformed'; readonly reason: string };

/**
 * Reads `{"batchItemFailures": [{"itemIdentifier": "…"}]}` (aws-facts 3.4). An absent, null or empty list,
 * `{}`, `[]` and null say that all went well. An identifier that is empty, null, under another key or not
 * of this batch (`known`) makes the answer malformed, which counts as a failure of the whole batch.
 */
export function readBatchItemFailures(payload: unknown, known: ReadonlySet<string>): BatchVerdict {
  if (payload === null || payload === undefined || typeof payload !== 'object') return { kind: 'success' };
  const failures = 'batchItemFailures' in payload ? payload.batchItemFailures : undefined;
  if (failures === undefined || failures === null) return { kind: 'success' };
  if (!Array.isArray(failures)) return { kind: 'malformed', reason: 'batchItemFailures is no list' };
  const failed = new Set<string>();
  for (const failure of failures as readonly unknown[]) {
    const identifier = itemIdentifier(failure);
    if (typeof identifier !== 'string' || !known.has(identifier)) {
      return { kind: 'malformed', reason: `${JSON.stringify(failure)} names no record of the batch` };
    }
    failed.add(identifier);
  }
  return failed.size === 0 ? { kind: 'success' } : { kind: 'partial', failed };
}

function itemIdentifier(failure: unknown): unknown {
  return typeof failure === 'object' && failure !== null && 'itemIdentifier' in failure
    ? failure.itemIdentifier
    : undefined;
}
