import fc from 'fast-check';
import * as v from 'valibot';
import { expect, test } from 'vitest';
import { CALLS } from '../../handlers/api/api.ts';
import { answerEvents, type HttpHandler } from '../../handlers/api/lambda-event.ts';
import { MemoryJobs } from '../../handlers/memory/memory-jobs.ts';
import { MemoryQueue } from '../../handlers/memory/memory-queue.ts';
import type { Deadline } from '../../handlers/queue-messages.ts';
import { CreatedJobSchema, ProblemSchema } from '../../protocol/http.ts';
import { ApiSetting, BODY } from '../handlers/api/api-setting.ts';

type HttpEvent = Parameters<HttpHandler>[0];

/** An API whose writes are counted. */
async function fuzzed(auth: 'open' | 'authorizer') {
  let writes = 0;
  const count = <Arguments extends unknown[], Result>(write: (...args: Arguments) => Result) => {
    return (...args: Arguments): Result => {
      writes += 1;
      return write(...args);
    };
  };
  const jobs = new MemoryJobs();
  jobs.create = count(jobs.create.bind(jobs));
  jobs.change = count(jobs.change.bind(jobs));
  const deadlines = new MemoryQueue<Deadline>();
  deadlines.send = count(deadlines.send.bind(deadlines));
  const setting = new ApiSetting({ jobs, deadlines, auth });
  const { job, token } = await setting.createJob({}, { subject: 'anonymous' });
  const handler = answerEvents(setting.api);
  /** Sends an event; answers with the result and how much was written on the way. */
  const send = async (event: HttpEvent) => {
    const before = writes;
    return { result: await handler(event), written: writes - before };
  };
  return { setting, job, token, send };
}

const anything = fc.string({ unit: 'binary', maxLength: 80 });
const printable = fc.string({ unit: 'grapheme-ascii', maxLength: 40 });

function requestEvent(job: string, token: string): fc.Arbitrary<HttpEvent> {
  const id = fc.oneof(
    { weight: 4, arbitrary: fc.constant(job) },
    fc.constant('job_00000000000000000000000000'),
    printable,
  );
  const anyCall = fc.tuple(
    fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'HEAD', 'OPTIONS', 'PATCH', 'TRACE', 'x y', ''),
    fc.oneof(
      fc.constantFrom('/jobs', '/tickets', '/', '/jobs/'),
      id.map((text) => `/jobs/${encodeURIComponent(text)}`),
      fc
        .tuple(id, fc.constantFrom('tickets', 'cancel', 'upload/complete', 'result', 'x'))
        .map(([text, rest]) => `/jobs/${encodeURIComponent(text)}/${rest}`),
      printable.map((text) => `/${text}`),
    ),
  );
  // Half of the requests are of the table, so that what is behind a path is reached often.
  const tableCall = fc
    .constantFrom(...CALLS)
    .map((call): [string, string] => [call.method, call.path.replace('{id}', job)]);
  const call = fc.oneof(tableCall, anyCall);
  const headers = fc.dictionary(
    fc.constantFrom(
      'content-type',
      'if-none-match',
      'prefer',
      'authorization',
      'idempotency-key',
      'x-other',
      'accept',
    ),
    fc.oneof(
      fc.constantFrom(
        'application/json',
        'application/json; charset=utf-8',
        '*',
        'wait=20',
        `Bearer ${token}`,
        'k',
      ),
      printable,
      anything,
    ),
    { maxKeys: 5 },
  );
  const nearlyRight = fc.record(
    {
      kind: fc.oneof(fc.constant(BODY.kind), anything),
      fileName: fc.oneof(fc.constant(BODY.fileName), anything),
      contentType: fc.oneof(fc.constant(BODY.contentType), anything),
      size: fc.oneof(fc.constant(BODY.size), fc.double(), fc.bigInt().map(Number)),
      upload: fc.oneof(fc.constantFrom('put', 'post', 'multipart'), anything),
      tags: fc.oneof(fc.array(anything, { maxLength: 12 }), fc.jsonValue()),
    },
    { requiredKeys: [] },
  );
  const body = fc.oneof(
    fc.constant(null),
    anything,
    fc.json(),
    nearlyRight.map((value) => JSON.stringify(value)),
    nearlyRight.map((value) => JSON.stringify({ ...BODY, ...value })),
    fc.constant(`{"kind":"${'x'.repeat(70_000)}"}`),
  );
  return fc
    .record({
      call,
      query: fc.oneof(
        fc.constant(''),
        printable,
        printable.map((text) => `limit=${text}`),
        printable.map((text) => `cursor=${text}`),
      ),
      headers,
      body,
      isBase64Encoded: fc.boolean(),
      subject: fc.oneof(fc.constant('anonymous'), fc.constant('bob'), anything, fc.constant(undefined)),
    })
    .map(({ call: [method, rawPath], query, headers: sent, body: text, isBase64Encoded, subject }) => ({
      version: '2.0',
      routeKey: '$default',
      rawPath,
      rawQueryString: query,
      headers: sent,
      requestContext: {
        accountId: '123456789012',
        apiId: 'abcdefghij',
        authentication: null,
        // Hono's type knows no Lambda authorizer, whose context lies under `lambda`.
        authorizer: { lambda: { subject } } as HttpEvent['requestContext']['authorizer'],
        domainName: 'api.invalid',
        domainPrefix: 'api',
        http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: '' },
        requestId: 'JKJaXmPLvHcESHA=',
        routeKey: '$default',
        stage: '$default',
        time: '23/Nov/2026:12:00:00 +0000',
        timeEpoch: 1_795_435_200_000,
      },
      body: text === null || !isBase64Encoded ? text : Buffer.from(text).toString('base64'),
      isBase64Encoded,
    }));
}

test.each(['open', 'authorizer'] as const)(
  'whatever is sent (auth=%s), the answer is of the contract, never a 5xx, and a refusal has written nothing',
  async (auth) => {
    const { setting, job, token, send } = await fuzzed(auth);
    const seen = new Map<number, number>();
    await fc.assert(
      fc.asyncProperty(requestEvent(job.id, token), async (event) => {
        const { result, written } = await send(event);
        const { statusCode } = result;
        seen.set(statusCode, (seen.get(statusCode) ?? 0) + 1);
        expect(statusCode).toBeLessThan(500);
        if (statusCode >= 400) {
          expect(written).toBe(0);
          expect(result.headers?.['content-type']).toBe('application/problem+json');
          if (event.requestContext.http.method === 'HEAD') return;
          expect(v.parse(ProblemSchema, JSON.parse(result.body)).status).toBe(statusCode);
          expect(result.body.length).toBeLessThan(50_000);
        }
        if (statusCode === 201 && event.rawPath === '/jobs')
          v.parse(CreatedJobSchema, JSON.parse(result.body));
      }),
      { numRuns: 3_000 },
    );
    expect(setting.log.entries).toEqual([]);
    // The generator reaches both sides: answers and refusals of many kinds.
    expect([...seen.keys()]).toEqual(expect.arrayContaining([200, 201, 202, 400, 401, 404, 405]));
  },
);
