import { toJsonSchemaDefs } from '@valibot/to-json-schema';
import type * as v from 'valibot';

/** A JSON Schema, or a part of one. */
export type JsonSchema = Readonly<Record<string, unknown>>;

/** A schema of the contract, and what a reader of a document is told of it. */
export interface Described {
  readonly schema: v.GenericSchema;
  readonly description: string;
}

/** Where the documents keep their schemas; AsyncAPI and OpenAPI have the same place for them. */
export function schemaReference(name: string): { readonly $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

/**
 * The JSON Schemas of named Valibot schemas, which refer to each other by `schemaReference`.
 *
 * What Valibot checks by a function has no JSON Schema: there its message becomes part of the description, so that
 * the documents promise no less than the parsers ask, and only cannot check it. AsyncAPI 3 schemas are of draft 7,
 * those of OpenAPI 3.1 of draft 2020-12.
 * @throws Error for a kind of schema or action that cannot be expressed at all.
 */
export function jsonSchemasOf(
  schemas: Readonly<Record<string, Described>>,
  target: 'draft-07' | 'draft-2020-12',
): Readonly<Record<string, JsonSchema>> {
  const definitions = toJsonSchemaDefs(
    Object.fromEntries(Object.entries(schemas).map(([name, { schema }]) => [name, schema])),
    {
      target,
      typeMode: 'input', // what a peer writes: what may be left out is optional
      overrideRef: ({ referenceId }) => schemaReference(referenceId).$ref,
      overrideAction: ({ valibotAction, jsonSchema }) => {
        if (valibotAction.type === 'check') return described(jsonSchema, messageOf(valibotAction));
        if (valibotAction.type === 'finite') return jsonSchema; // JSON has no other numbers
        // JSON Schema reads patterns as Unicode, which is what the flag says (draft 2020-12, 6.4).
        const isUnicode = valibotAction.type === 'regex' && 'requirement' in valibotAction;
        if (isUnicode && valibotAction.requirement instanceof RegExp) {
          const { source, flags } = valibotAction.requirement;
          if (flags === 'u') return { ...jsonSchema, pattern: source };
        }
        return undefined;
      },
    },
  );
  return Object.fromEntries(
    Object.entries(definitions).map(([name, definition]) => {
      const description = schemas[name]?.description ?? '';
      return [name, { ...described(definition, description) }];
    }),
  );
}

function described<Schema extends { description?: string | undefined }>(
  schema: Schema,
  sentence: string,
): Schema {
  const sentences = [sentence, schema.description].filter((each) => each !== undefined && each !== '');
  return { ...schema, description: sentences.join(' ') };
}

/** The message of a check as a sentence of its own; one that begins with the name of a field keeps it as it is. */
function messageOf(action: object): string {
  const message = 'message' in action ? action.message : undefined;
  if (typeof message !== 'string') throw new Error('A check of the contract has no message to be told by');
  return `${message.startsWith('must') ? message.replace('m', 'M') : message}.`;
}
