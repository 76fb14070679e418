import * as v from 'valibot';

/** One thing that is wrong with what came over the wire: where, as a dotted path, and what. */
export interface Issue {
  readonly path: string;
  readonly message: string;
}

/** Thrown by the parsers: what came over the wire is not what the contract says. */
export class InvalidError extends Error {
  override readonly name = 'InvalidError';
  readonly issues: readonly Issue[];

  constructor(what: string, issues: readonly Issue[], options?: ErrorOptions) {
    const details = issues.map((issue) =>
      issue.path === '' ? issue.message : `${issue.path}: ${issue.message}`,
    );
    super(`${what}: ${details.join('; ')}`, options);
    this.issues = issues;
  }
}

/** What a parser is given: a Valibot schema of the contract. */
export type Schema<Value> = v.GenericSchema<unknown, Value>;

/**
 * Parses `value` by a schema.
 * @throws InvalidError that names every field that is wrong.
 */
export function parse<Value>(what: string, schema: Schema<Value>, value: unknown): Value {
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  throw new InvalidError(
    what,
    result.issues.map((issue) => ({ path: v.getDotPath(issue) ?? '', message: issue.message })),
  );
}

/**
 * Parses JSON text.
 * @throws InvalidError when the text is not JSON.
 */
export function parseJson(what: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new InvalidError(what, [{ path: '', message: 'is not JSON' }], { cause });
  }
}
