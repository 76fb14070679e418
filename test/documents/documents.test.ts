import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv, type ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import fc from 'fast-check';
import * as v from 'valibot';
import { describe, expect, it } from 'vitest';
import { asyncApiDocument } from '../../documents/asyncapi.ts';
import { CLIENT_EXAMPLES, HTTP_EXAMPLES, SERVER_EXAMPLES } from '../../documents/examples.ts';
import { CLIENT_MESSAGES, SERVER_MESSAGES } from '../../documents/messages.ts';
import { openApiDocument } from '../../documents/openapi.ts';
import { OPERATIONS } from '../../documents/operations.ts';
import { HTTP_SCHEMAS } from '../../documents/schemas.ts';
import { CALLS } from '../../handlers/api/api.ts';
import { parseClientFrame, parseServerFrame, serializeFrame } from '../../protocol/frames.ts';
import { anyServerFrame } from '../protocol/sample-frames.ts';
import { anyJob } from '../protocol/sample-jobs.ts';

const asyncApi = asyncApiDocument();
const openApi = openApiDocument();

function committed(name: string): unknown {
  return JSON.parse(readFileSync(new URL(`../../docs/${name}`, import.meta.url), 'utf8'));
}

/** Every `$ref` of a document. */
function referencesOf(value: unknown): string[] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([name, member]) =>
    name === '$ref' ? [String(member)] : referencesOf(member),
  );
}

/** What a `#/…` of a document leads to. */
function target(document: unknown, reference: string): unknown {
  let value = document;
  for (const name of reference.slice('#/'.length).split('/')) {
    value = (value as Record<string, unknown> | undefined)?.[name]; // undefined is what the test looks for
  }
  return value;
}

/** A validator of a schema among the components of a document; formats and names of OpenAPI are not its business. */
function validator(engine: Ajv, document: object, reference: string): ValidateFunction {
  const id = 'urn:jobwire:document';
  if (engine.getSchema(id) === undefined) engine.addSchema({ ...document, $id: id });
  return engine.compile({ $ref: `${id}${reference}` });
}

/** Whether a value fits, with what is wrong as the message. */
function expectFit(validate: ValidateFunction, value: unknown): void {
  validate(value);
  expect(validate.errors ?? []).toEqual([]);
}

describe('docs/asyncapi.json', () => {
  it('is what `npm run documents` makes of the schemas', () => {
    expect(committed('asyncapi.json')).toEqual(JSON.parse(JSON.stringify(asyncApi)));
  });

  it('is an AsyncAPI 3 document', () => {
    // It brings draft 7's own schema along, which Ajv must then not have.
    const specification: object = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0.json');
    const engine = new Ajv({ strict: false, allErrors: true, meta: false, validateSchema: false });
    formats.default(engine);
    expectFit(engine.compile(specification), asyncApi);
  });

  it('refers to nothing that is not there', () => {
    const references = referencesOf(asyncApi);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => target(asyncApi, reference) === undefined)).toEqual([]);
  });

  const engine = new Ajv({ strict: false });
  const payloadOf = (type: string) => validator(engine, asyncApi, `#/components/messages/${type}/payload`);

  it('describes every frame that a server may send', () => {
    fc.assert(
      fc.property(anyServerFrame(), (frame) => {
        expectFit(payloadOf(frame.type), JSON.parse(JSON.stringify(frame)));
      }),
      { numRuns: 300 },
    );
  });

  it('shows frames that both parsers and both schemas take', () => {
    for (const type of Object.keys(CLIENT_MESSAGES) as (keyof typeof CLIENT_MESSAGES)[]) {
      expect(CLIENT_EXAMPLES[type].length).toBeGreaterThan(0);
      for (const frame of CLIENT_EXAMPLES[type]) {
        expect(frame.type).toBe(type);
        expect(parseClientFrame(serializeFrame(frame))).toEqual(frame);
        expectFit(payloadOf(type), frame);
      }
    }
    for (const type of Object.keys(SERVER_MESSAGES) as (keyof typeof SERVER_MESSAGES)[]) {
      expect(SERVER_EXAMPLES[type].length).toBeGreaterThan(0);
      for (const frame of SERVER_EXAMPLES[type]) {
        expect(frame.type).toBe(type);
        expect(parseServerFrame(serializeFrame(frame))).toEqual(frame);
        expectFit(payloadOf(type), frame);
      }
    }
  });

  it.each([
    [
      'a job and a topic',
      { type: 'subscribe', id: '1', job: 'job_01JCXW3V6Q8Y2T5R9K4M7N0PZA', topic: 'owner:me' },
    ],
    ['neither', { type: 'subscribe', id: '1' }],
    ['a foreign owner', { type: 'subscribe', id: '1', topic: 'owner:ann' }],
    ['a job that is none', { type: 'unsubscribe', id: '1', job: 'job_1' }],
    ['a negative head', { type: 'ping', heads: { job_01JCXW3V6Q8Y2T5R9K4M7N0PZA: -1 } }],
    ['a long id', { type: 'ping', id: 'x'.repeat(65) }],
  ])('refuses, as the parser does, a frame with %s', (_what, frame) => {
    expect(() => parseClientFrame(JSON.stringify(frame))).toThrow();
    expect(payloadOf(frame.type)(frame)).toBe(false);
  });
});

describe('docs/openapi.json', () => {
  it('is what `npm run documents` makes of the schemas', () => {
    expect(committed('openapi.json')).toEqual(JSON.parse(JSON.stringify(openApi)));
  });

  it('is an OpenAPI 3.1 document', async () => {
    const specification = new Validator();
    const result = await specification.validate(structuredClone(openApi));
    expect(result).toEqual({ valid: true });
    expect(specification.version).toBe('3.1');
  });

  it('refers to nothing that is not there', () => {
    const references = referencesOf(openApi);
    expect(references.length).toBeGreaterThan(50);
    expect(references.filter((reference) => target(openApi, reference) === undefined)).toEqual([]);
  });

  it('has the calls that the function answers', () => {
    const names = (calls: readonly { method: string; path: string }[]) =>
      calls.map(({ method, path }) => `${method} ${path}`).sort();
    expect(names(OPERATIONS)).toEqual(names(CALLS));
    expect(new Set(OPERATIONS.map(({ id }) => id)).size).toBe(OPERATIONS.length);
  });

  const engine = new Ajv2020({ strict: false });
  const schemaOf = (name: string) => validator(engine, openApi, `#/components/schemas/${name}`);

  it('shows bodies that the parsers and the schemas take, one for every call that has one', () => {
    for (const [name, { schema }] of Object.entries(HTTP_SCHEMAS)) {
      const example = Object.entries(HTTP_EXAMPLES).find(([shown]) => shown === name)?.[1];
      if (example === undefined) continue;
      expect(v.parse(schema, example)).toEqual(example);
      expectFit(schemaOf(name), example);
    }
    const bodies = OPERATIONS.flatMap(({ body, answers }) => [body, ...answers.map((answer) => answer.body)]);
    const missing = bodies.filter((body) => body !== undefined && HTTP_EXAMPLES[body] === undefined);
    expect(missing).toEqual([]);
  });

  it('describes every job', () => {
    const validate = schemaOf('Job');
    fc.assert(
      fc.property(anyJob(), (job) => expectFit(validate, JSON.parse(JSON.stringify(job)))),
      { numRuns: 300 },
    );
  });
});
