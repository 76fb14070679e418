import { expect, test, vi } from 'vitest';
import { answerEvents } from '../../../handlers/api/lambda-event.ts';
import { ApiSetting } from './api-setting.ts';

type HttpEvent = Parameters<ReturnType<typeof answerEvents>>[0];

/** An event of payload format 2.0 as API Gateway sends it (aws-facts 6). */
function httpEvent(method: string, rawPath: string, overrides: Partial<HttpEvent> = {}): HttpEvent {
  return {
    version: '2.0',
    routeKey: '$default',
    rawPath,
    rawQueryString: '',
    headers: { host: 'api.invalid' },
    requestContext: {
      accountId: '123456789012',
      apiId: 'abcdefghij',
      authentication: null,
      authorizer: {},
      domainName: 'abcdefghij.execute-api.eu-central-1.amazonaws.com',
      domainPrefix: 'abcdefghij',
      http: { method, path: rawPath, protocol: 'HTTP/1.1', sourceIp: '192.0.2.1', userAgent: 'curl/8' },
      requestId: 'JKJaXmPLvHcESHA=',
      routeKey: '$default',
      stage: '$default',
      time: '23/Nov/2026:12:00:00 +0000',
      timeEpoch: 1_795_435_200_000,
    },
    body: null,
    isBase64Encoded: false,
    ...overrides,
  };
}

test('an event becomes a request, and the answer a result of payload format 2.0', async () => {
  const handler = answerEvents(new ApiSetting().api);
  const body = JSON.stringify({ kind: 'csv-profile', fileName: 'ä.csv', contentType: 'text/csv', size: 3 });
  const result = await handler(
    httpEvent('POST', '/jobs', {
      headers: { 'content-type': 'application/json' },
      body: Buffer.from(body).toString('base64'),
      isBase64Encoded: true,
    }),
  );
  expect(result).toMatchObject({ statusCode: 201, isBase64Encoded: false });
  expect(JSON.parse(result.body)).toMatchObject({ job: { input: { fileName: 'ä.csv' } } });
});

test('a body of a GET, methods and headers that are none: an answer or a problem, and nothing in the log', async () => {
  const log = vi.spyOn(console, 'error');
  const handler = answerEvents(new ApiSetting().api);
  const idle = await handler(httpEvent('GET', '/jobs', { body: '{"x":1}' }));
  expect(idle.statusCode).toBe(200);
  for (const event of [
    httpEvent('GET', '/jobs', { headers: { 'bad name': 'x' } }),
    httpEvent('CONNECT', '/jobs'),
    httpEvent('GET', '/jobs', { headers: { authorization: 'Bearer a\nb' } }),
  ]) {
    const result = await handler(event);
    expect(result.headers?.['content-type']).toBe('application/problem+json');
    expect(JSON.parse(result.body)).toMatchObject({ status: result.statusCode, code: 'bad-request' });
  }
  expect(log).not.toHaveBeenCalled();
  log.mockRestore();
});

test('the remaining time of the function reaches a held request', async () => {
  const setting = new ApiSetting();
  const { job } = await setting.createJob();
  const began = Date.parse(setting.at);
  const lambdaContext = { getRemainingTimeInMillis: () => 3_000 };
  const result = await answerEvents(setting.api)(
    httpEvent('GET', `/jobs/${job.id}`, {
      headers: { prefer: 'wait=10', 'if-none-match': `"${job.epoch}.1"` },
    }),
    // The other members of Lambda's context are not read.
    lambdaContext as Parameters<ReturnType<typeof answerEvents>>[1],
  );
  expect([result.statusCode, Date.parse(setting.at) - began]).toEqual([304, 1_000]);
});
