import { PROBLEMS, type ProblemCode } from '../protocol/error-codes.ts';
import { HTTP_EXAMPLES } from './examples.ts';
import { jsonSchemasOf, schemaReference } from './json-schema.ts';
import { type Answer, OPERATIONS, type Operation } from './operations.ts';
import { HTTP_SCHEMAS } from './schemas.ts';

/** The version of the contract: the 1 of `jobwire.v1`; additions raise what stands behind it. */
export const VERSION = '1.1.0';

/** The OpenAPI 3.1 document of the HTTP table. */
export function openApiDocument(): Readonly<Record<string, unknown>> {
  return {
    openapi: '3.1.0',
    info: {
      title: 'Jobwire, the HTTP API',
      version: VERSION,
      description:
        'Live job status: ask for a job, upload its payload straight to S3, watch every state. Generated from the schemas of `protocol/` by `npm run documents`; docs/protocol.md tells the rest.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [
      {
        url: 'https://{api}.execute-api.{region}.amazonaws.com',
        description: 'Deployed; the output `api` of the stack.',
        variables: {
          api: { default: 'a1b2c3d4e5', description: 'The id of the HTTP API.' },
          region: { default: 'eu-central-1', description: 'The Region of the stack.' },
        },
      },
      { url: 'http://127.0.0.1:8401', description: 'On this machine, by `npm start`.' },
    ],
    paths: pathsOf(OPERATIONS),
    components: {
      schemas: jsonSchemasOf(HTTP_SCHEMAS, 'draft-2020-12'),
      responses: Object.fromEntries(problemCodes().map((code) => [code, problemResponse(code)])),
      securitySchemes: {
        jobToken: {
          type: 'http',
          scheme: 'bearer',
          description: 'The `token` of a created job: reads, watches and cancels this one job.',
        },
      },
    },
  };
}

function pathsOf(operations: readonly Operation[]): Readonly<Record<string, unknown>> {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const operation of operations) {
    const path = paths[operation.path] ?? pathItem(operation.path);
    path[operation.method.toLowerCase()] = operationObject(operation);
    paths[operation.path] = path;
  }
  return paths;
}

function pathItem(path: string): Record<string, unknown> {
  if (!path.includes('{id}')) return {};
  const id = { name: 'id', in: 'path', required: true, schema: schemaReference('JobId') };
  return { parameters: [{ ...id, description: 'The job.' }] };
}

function operationObject(operation: Operation): Readonly<Record<string, unknown>> {
  const { id, summary, description, parameters, body, answers, problems } = operation;
  const codes: readonly ProblemCode[] = [...problems, 'unauthorized', 'internal'];
  return {
    operationId: id,
    summary,
    description,
    // The empty requirement is the caller whom the API's authorizer names, or anybody with `auth=open`.
    security: operation.jobToken ? [{}, { jobToken: [] }] : [{}],
    ...(parameters === undefined ? {} : { parameters }),
    ...(body === undefined
      ? {}
      : { requestBody: { required: true, content: contentOf('application/json', body) } }),
    responses: Object.fromEntries([
      ...answers.map((answer) => [String(answer.status), responseObject(answer)] as const),
      ...codes.map((code) => [String(PROBLEMS[code].status), { $ref: `#/components/responses/${code}` }]),
    ]),
  };
}

function responseObject({
  description,
  body,
  contentType = 'application/json',
  headers,
}: Answer): Readonly<Record<string, unknown>> {
  return {
    description,
    ...(headers === undefined ? {} : { headers: headersOf(headers) }),
    ...(body === undefined ? {} : { content: contentOf(contentType, body) }),
  };
}

function headersOf(headers: Readonly<Record<string, string>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [name, { description, schema: { type: 'string' } }]),
  );
}

function contentOf(
  contentType: string,
  schema: keyof typeof HTTP_SCHEMAS,
): Readonly<Record<string, unknown>> {
  const example = HTTP_EXAMPLES[schema];
  return {
    [contentType]: {
      schema: schemaReference(schema),
      ...(example === undefined ? {} : { examples: { plain: { value: example } } }),
    },
  };
}

function problemCodes(): readonly ProblemCode[] {
  return Object.keys(PROBLEMS) as ProblemCode[]; // the keys of a const table are its codes
}

function problemResponse(code: ProblemCode): Readonly<Record<string, unknown>> {
  return {
    description: `${PROBLEMS[code].title}.`,
    content: { 'application/problem+json': { schema: schemaReference('Problem') } },
  };
}
